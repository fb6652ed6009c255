#!/usr/bin/env bash
# Installs Rust 1.95.0 from its archives, by their checksums, in a folder of its own: install-rust.sh FOLDER [TARGET]
# The checksums are those of the release's manifest, https://static.rust-lang.org/dist/channel-rust-1.95.0.toml
set -euo pipefail

folder=$1
target=${2:-}
version=1.95.0
host=x86_64-unknown-linux-gnu
base=https://static.rust-lang.org/dist/2026-04-16

install() {
  local name=$1 checksum=$2
  curl --proto '=https' --tlsv1.2 --silent --show-error --fail --output "$name.tar.xz" "$base/$name.tar.xz"
  echo "$checksum  $name.tar.xz" | sha256sum --check --quiet
  tar --extract --file "$name.tar.xz"
  "$name/install.sh" --prefix="$folder" --disable-ldconfig --without=rust-docs > /dev/null
  rm -r "$name" "$name.tar.xz"
}

cd "$(mktemp -d)"
install "rust-$version-$host" 2e0338f18ecbaa4a0f631b9e80e8b8e26bb6fe77dd5454fba8a70cf96c1e84a1
if [ "$target" = aarch64-unknown-linux-gnu ]; then
  install "rust-std-$version-$target" 3a21b271b1ff973b94d69b25e7a39992f9fbcae1ab6d9475844a23e6ad3908ac
fi
