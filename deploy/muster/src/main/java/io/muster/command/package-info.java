/** The command {@code muster}, for operators. */
package io.muster.command;
