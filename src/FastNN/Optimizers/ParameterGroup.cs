namespace FastNN;

/// <summary>Parameters with options of their own, such as biases without weight decay.</summary>
/// <param name="contains">Which parameters belong to it; where several groups would take one, the first does.</param>
public sealed class ParameterGroup(Func<Parameter, bool> contains)
{
    private readonly Func<Parameter, bool> _contains = contains ?? throw new ArgumentNullException(nameof(contains));

    /// <summary>A group of certain parameters.</summary>
    /// <param name="parameters">The parameters.</param>
    public ParameterGroup(IEnumerable<Parameter> parameters)
        : this(new HashSet<Parameter>(parameters).Contains)
    {
    }

    /// <summary>
    /// What the optimizer's learning rate is multiplied with; default 1. Schedules of the optimizer hold for all its groups.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative or not finite.</exception>
    public float LearningRateScale
    {
        get;
        init => field = Optimizer.RequireNotNegative(value, nameof(ParameterGroup), nameof(LearningRateScale));
    } = 1;

    /// <summary>The weight decay, or null (default) for the optimizer's.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative or not finite.</exception>
    public float? WeightDecay
    {
        get; init => field = value is { } decay
        ? Optimizer.RequireNotNegative(decay, nameof(ParameterGroup), nameof(WeightDecay))
        : null;
    }

    internal bool Contains(Parameter parameter) => _contains(parameter);
}
