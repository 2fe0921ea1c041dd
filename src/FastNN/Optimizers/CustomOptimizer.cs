using FastNN.Functions;

namespace FastNN;

/// <summary>
/// An optimizer of the user's own: it records once, as a graph of values, what an update makes of parameters, gradients and what
/// it remembers of them. The graph is compiled and runs on the device as part of the training step, captured with it on a GPU.
/// Groups, schedules, clipping, the guard against losses and gradients that are not finite, and checkpoints are those of every
/// optimizer.
/// </summary>
/// <example>
/// <code>
/// public sealed class Lion(float learningRate = 1e-4f, float beta1 = 0.9f, float beta2 = 0.99f) : CustomOptimizer(learningRate)
/// {
///     public override string Name => "Lion";
///
///     protected override IReadOnlyList&lt;string> States => ["momentum"];
///
///     protected override void Record(UpdateRecording update)
///     {
///         Value m = update.State("momentum"), g = update.Gradient, p = update.Parameter;
///         Value direction = (beta1 * m + (1 - beta1) * g).Sign();
///         update.SetParameter(p - update.LearningRate * (direction + update.WeightDecay * p));
///         update.SetState("momentum", beta2 * m + (1 - beta2) * g);
///     }
/// }
/// </code>
/// </example>
/// <param name="learningRate">The learning rate.</param>
/// <param name="weightDecay">Of parameters in no group that has one of its own; default 0. What it does is the update's
/// business.</param>
public abstract class CustomOptimizer(float learningRate, float weightDecay = 0) : Optimizer(learningRate, weightDecay)
{
    private StateInfo[]? _states;

    /// <summary>
    /// The names of what it remembers, each as large as the parameters and zero before the first update. Always the same.
    /// </summary>
    protected abstract IReadOnlyList<string> States { get; }

    /// <summary>
    /// Whether the update of every number depends on that number, its gradient and its states alone; default true. Parameters
    /// then come as flat vectors, joined or cut at will and with zeros between them. False gives them one by one, each in its own
    /// shape, as layer-wise norms need.
    /// </summary>
    protected virtual bool IsElementwise => true;

    internal override StateInfo[] StateInfos => _states ??= CheckedStates();

    internal bool TakesAnyNumbers => IsElementwise;

    /// <summary>Records one update.</summary>
    /// <param name="update">What it is made from, and what takes its results.</param>
    protected abstract void Record(UpdateRecording update);

    internal void RecordInto(UpdateRecording update) => Record(update);

    internal override void WriteScalars(Span<float> scalars, long step, float learningRate, float weightDecay) =>
        (scalars[0], scalars[1]) = (learningRate, step);

    private StateInfo[] CheckedStates()
    {
        string[] names = [.. States];
        return Array.TrueForAll(names, name => !string.IsNullOrEmpty(name)) && names.Distinct().Count() == names.Length
            ? Array.ConvertAll(names, name => new StateInfo(name))
            : throw new InvalidOperationException(
                $"{Name}: expected states with names of their own, got [{string.Join(", ", names)}].");
    }
}
