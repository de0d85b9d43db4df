/** People and programs that run fleets, and what they do in bulk. */
package io.muster.operator;
