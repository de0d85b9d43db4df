package io.muster.suite;

/** On the embedded database, which dies with the registry. */
class KilledEmbeddedIT implements KilledContract {

    @Override
    public RegistryUnderTest registry() {
        return Registries.embedded();
    }
}
