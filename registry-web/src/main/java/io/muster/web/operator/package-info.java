/** The operator API: one resource per noun. */
package io.muster.web.operator;
