/** People and programs that run fleets, and their bulk operations. Start with {@link io.muster.operator.Operators}. */
package io.muster.operator;
