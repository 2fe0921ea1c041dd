namespace FastNN;

/// <summary>The parts of a training step.</summary>
public enum ProfilePass
{
    /// <summary>The forward pass, and all of inference.</summary>
    Forward,

    /// <summary>The backward pass, with what it computes again.</summary>
    Backward,

    /// <summary>What follows: the norm of the gradients, the optimizer, buffers and metrics.</summary>
    Update,
}
