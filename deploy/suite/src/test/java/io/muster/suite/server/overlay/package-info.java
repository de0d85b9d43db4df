/** The classes that {@link io.muster.suite.server.OverlayIT} puts into the WAR. */
package io.muster.suite.server.overlay;
