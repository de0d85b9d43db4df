/** What {@link io.muster.suite.OverlayIT} puts into the WAR. */
package io.muster.suite.overlay;
