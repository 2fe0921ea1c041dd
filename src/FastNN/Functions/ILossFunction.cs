namespace FastNN.Functions;

/// <summary>
/// The loss of one element against its target, and the loss's derivative by the element; written once for both devices, as an
/// <see cref="IUnaryFunction"/> is. What all of them have in common (a weight per element, sums and means) is the loops' business.
/// </summary>
internal interface ILossFunction
{
    /// <summary>What it is, in a sentence without an end.</summary>
    static abstract string Is { get; }

    /// <summary>Whether it reads a weight of the positive class; a constant to the JIT.</summary>
    static abstract bool TakesPositiveWeight { get; }

    static abstract T Value<T>(T x, T target, T positiveWeight)
        where T : struct, ILanes<T>;

    static abstract T Slope<T>(T x, T target, T positiveWeight)
        where T : struct, ILanes<T>;
}
