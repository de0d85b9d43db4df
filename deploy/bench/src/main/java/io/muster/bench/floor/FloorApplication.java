// SPDX-License-Identifier: Apache-2.0
package io.muster.bench.floor;

import jakarta.ws.rs.ApplicationPath;
import jakarta.ws.rs.core.Application;

/** Puts the floors at the root of their WAR. */
@ApplicationPath("/")
public class FloorApplication extends Application {}
