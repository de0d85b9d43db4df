/**
 * Tests of what people install: the tar, the Debian package, the container and the Helm chart. Start with {@code DebianPackageIT}.
 */
package io.muster.install;
