export * from './delegated-subdomain';
export * from './delegated-subdomain-props';
export { type Delegation, type DelegationLocation } from './delegation';
export * from './function-defaults';
export * from './function-settings';
export * from './published-zone';
export * from './subdomain-certificate';
