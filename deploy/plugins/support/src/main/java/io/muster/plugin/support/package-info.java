/** Shared parts of the plug-ins that ask a database. Start with {@link io.muster.plugin.support.SettingsReader}. */
package io.muster.plugin.support;
