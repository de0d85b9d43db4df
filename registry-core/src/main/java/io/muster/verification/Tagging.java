package io.muster.verification;

/** A built-in verifier that writes one of the registry's own tags, which what another verifier says must not hide. */
public interface Tagging {

    /** Returns the name of its tag. */
    String ownTag();
}
