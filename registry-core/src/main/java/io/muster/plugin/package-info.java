/**
 * What others add to the registry: jars of the plug-in directory, and what they share with CDI beans. Start with {@link
 * io.muster.plugin.Plugins}. Knows nothing of what verifiers decide and issuers issue.
 */
package io.muster.plugin;
