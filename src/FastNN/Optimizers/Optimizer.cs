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

    /// <summary>The names of its state tensors, each as long as the parameters.</summary>
    internal abstract IReadOnlyList<string> StateNames { get; }

    /// <summary>Numbers that change from step to step and live in device memory.</summary>
    /// <param name="scalars">Four numbers to fill.</param>
    /// <param name="step">Counts from 1.</param>
    internal abstract void WriteScalars(Span<float> scalars, long step);

    /// <summary>Applies the gradients.</summary>
    internal abstract void Update(IKernels kernels, Tensor scalars, Tensor parameters, Tensor gradients, Tensor[] state);

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

    private protected static float NotNegative(float value, string name) => float.IsFinite(value) && value >= 0
        ? value
        : throw new ArgumentOutOfRangeException(name, $"{name} {value} must be finite and not negative.");
}
