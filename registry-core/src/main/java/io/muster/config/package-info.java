/**
 * The whole configuration, read once, in one place, into one tree of records. Start with
 * {@link io.muster.config.MusterConfig#from}. The package imports nothing else of Muster's, so that every other package
 * may read it.
 */
package io.muster.config;
