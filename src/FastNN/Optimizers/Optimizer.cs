using System.Globalization;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN;

/// <summary>
/// How gradients change parameters. An optimizer holds options only; its state lives with the trainer, one flat tensor per name,
/// so that one pass updates the whole network.
/// </summary>
public abstract class Optimizer
{
    private float _learningRate;

    private protected Optimizer(float learningRate) => LearningRate = learningRate;

    /// <summary>The learning rate; may be changed between steps.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative or not finite.</exception>
    public float LearningRate
    {
        get => _learningRate;
        set
        {
            if (!float.IsFinite(value) || value < 0)
            {
                throw new ArgumentOutOfRangeException(nameof(value), $"Learning rate {value} must be finite and not negative.");
            }

            _learningRate = value;
        }
    }

    /// <summary>
    /// Gives the learning rate of every update: <c>new Adam { Schedule = Schedule.Warmup(500).Then(Schedule.Cosine(1e-3f, steps: 10_000)) }</c>.
    /// Null (default) leaves the rate to <see cref="LearningRate"/>, which shows the last update's where there is a schedule.
    /// </summary>
    public Schedule? Schedule { get; init; }

    /// <summary>Its name in checkpoints.</summary>
    public abstract string Name { get; }

    /// <summary>As in <c>Adam, learning rate 0.001</c>.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Name}, learning rate {LearningRate}");

    /// <summary>Parameters with options of their own; default none. All others have the optimizer's.</summary>
    public IReadOnlyList<ParameterGroup> Groups { get; init => field = [.. value]; } = [];

    /// <summary>
    /// The largest norm of all gradients of a step, to which larger ones are scaled down (PyTorch's clip_grad_norm_), or null (default) for none.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is not positive.</exception>
    public float? ClipNorm { get; init => field = RequirePositive(value, nameof(ClipNorm)); }

    /// <summary>The largest magnitude of a gradient's element, at which larger ones are cut, or null (default) for none.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is not positive.</exception>
    public float? ClipValue { get; init => field = RequirePositive(value, nameof(ClipValue)); }

    /// <summary>Whether gradients are scaled before the update.</summary>
    internal bool Clips => ClipNorm is not null || ClipValue is not null;

    /// <summary>The names of its state tensors, each as long as the parameters.</summary>
    internal abstract IReadOnlyList<string> StateNames { get; }

    /// <summary>Whether a state tensor holds what no step makes negative, so that a file that does is refused.</summary>
    internal virtual bool IsNeverNegative(string stateName) => false;

    /// <summary>Numbers that change from step to step and live in device memory.</summary>
    /// <param name="scalars">Four numbers to fill.</param>
    /// <param name="step">Counts from 1.</param>
    /// <param name="learningRate">That of the group they are for.</param>
    internal abstract void WriteScalars(Span<float> scalars, long step, float learningRate);

    /// <summary>Applies the gradients.</summary>
    /// <param name="kernels">The device.</param>
    /// <param name="group">Whose parameters these are; null for those without a group.</param>
    /// <param name="scalars">As <see cref="WriteScalars"/> wrote them, the guard behind them.</param>
    /// <param name="parameters">Changed.</param>
    /// <param name="gradients">Read.</param>
    /// <param name="state">Changed; one tensor per name.</param>
    internal abstract void Update(IKernels kernels, ParameterGroup? group, Tensor scalars, Tensor parameters, Tensor gradients, Tensor[] state);

    /// <summary>Takes the learning rate of an update from the schedule, if there is one.</summary>
    /// <param name="step">Counts from 1.</param>
    internal void Advance(long step)
    {
        if (Schedule is not null)
        {
            LearningRate = Schedule.At(step - 1);
        }
    }

    private protected static float Share(float value, string name) => value is >= 0 and < 1
        ? value
        : throw new ArgumentOutOfRangeException(name, $"{name} {value} must be in [0, 1).");

    internal static float RequireNotNegative(float value, string name) => NotNegative(value, name);

    private static float? RequirePositive(float? value, string name) => value is null or > 0
        ? value
        : throw new ArgumentOutOfRangeException(name, $"{name} {value} must be positive.");

    private protected static float NotNegative(float value, string name) => float.IsFinite(value) && value >= 0
        ? value
        : throw new ArgumentOutOfRangeException(name, $"{name} {value} must be finite and not negative.");
}
