/** Numbers by hour, for charts. Start with {@link io.muster.statistics.Statistics}. */
package io.muster.statistics;
