/** The files that people download, and what they say of themselves. No server is started here. */
package io.muster.suite.artifact;
