package io.muster.web.device;

import static java.lang.annotation.RetentionPolicy.RUNTIME;

import jakarta.ws.rs.NameBinding;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.Target;

/** What a whole fleet may ask for at once: whoever gets 503 is told when its turn is ({@link io.muster.problem.Turns}). */
@NameBinding
@Retention(RUNTIME)
@Target(ElementType.TYPE)
@interface InTurn {}
