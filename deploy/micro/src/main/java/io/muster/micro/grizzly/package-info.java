/**
 * The classes that run inside the server's network layer. They are loaded below the server's
 * ({@code io.muster.micro.Connections}).
 */
package io.muster.micro.grizzly;
