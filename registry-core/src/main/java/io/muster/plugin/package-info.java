/**
 * Extensions by others: jars of the plug-in directory, and what these have in common with CDI beans. Start with
 * {@link io.muster.plugin.Plugins}. The package knows nothing of what verifiers decide and issuers issue.
 */
package io.muster.plugin;
