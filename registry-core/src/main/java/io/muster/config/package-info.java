/**
 * The whole configuration, read once, in one place, into one tree of records. Start with {@link
 * io.muster.config.MusterConfig#from}. Imports nothing else of Muster's, so that everything may read it.
 */
package io.muster.config;
