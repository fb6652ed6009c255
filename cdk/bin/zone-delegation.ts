import { App } from 'aws-cdk-lib';
import { addStacks } from '../lib/app';
import { orOneSentence } from './one-sentence';

const app = new App();
orOneSentence(() => addStacks(app));
