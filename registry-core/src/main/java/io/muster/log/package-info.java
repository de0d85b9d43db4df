/**
 * Guards the log: {@link io.muster.log.RareLog} does not repeat itself, and {@link io.muster.log.OneLine} keeps
 * strangers' texts on one line.
 */
package io.muster.log;
