using System.Globalization;
using FastNN.Functions;

namespace FastNN;

/// <summary>
/// How gradients change parameters. An optimizer holds options only; its state lives with the trainer, one flat tensor per name,
/// so that one pass updates the whole network.
/// </summary>
public abstract class Optimizer
{
    private readonly UpdateFunction? _update;
    private float _learningRate;

    private protected Optimizer(float learningRate, float weightDecay, UpdateFunction update) =>
        (LearningRate, WeightDecay, _update) = (learningRate, NotNegative(weightDecay, nameof(weightDecay)), update);

    /// <summary>An optimizer whose update is recorded.</summary>
    private protected Optimizer(float learningRate, float weightDecay) =>
        (LearningRate, WeightDecay) = (learningRate, NotNegative(weightDecay, nameof(weightDecay)));

    /// <summary>The learning rate; may be changed between steps.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative or not finite.</exception>
    public float LearningRate
    {
        get => _learningRate;
        set
        {
            if (!float.IsFinite(value) || value < 0)
            {
                throw new ArgumentOutOfRangeException(
                    nameof(LearningRate), $"{Kind}: expected a finite learning rate of at least 0, got {value}.");
            }

            _learningRate = value;
        }
    }

    /// <summary>
    /// Gives the learning rate of every update: <c>new Adam { Schedule = Schedule.Warmup(500).Then(Schedule.Cosine(1e-3f, steps:
    /// 10_000)) }</c>. Null (default) leaves the rate to <see cref="LearningRate"/>, which shows the last update's where there is
    /// a schedule.
    /// </summary>
    public Schedule? Schedule { get; init; }

    /// <summary>
    /// Gives the momentum of every update (beta1 of Adam and its like), as <see cref="Schedule.OneCycleMomentum"/> does; null
    /// (default) leaves it as it is. For Sgd with a momentum, Adam and AdamW.
    /// </summary>
    /// <exception cref="ArgumentException">The optimizer has no momentum to change.</exception>
    public Schedule? MomentumSchedule
    {
        get; init => field = value is null || HasMomentum
            ? value
            : throw new ArgumentException(
                $"{Name}: expected an optimizer with a momentum for a MomentumSchedule: Sgd with a momentum above 0, Adam or AdamW.",
                nameof(value));
    }

    /// <summary>A running mean of the weights, kept beside them; null (default) for none.</summary>
    public WeightAverage? Average { get; init; }

    /// <summary>Its name in checkpoints.</summary>
    public abstract string Name { get; }

    /// <summary>As in <c>Adam, learning rate 0.001</c>.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Name}, learning rate {LearningRate}");

    /// <summary>Parameters with options of their own; default none. All others have the optimizer's.</summary>
    public IReadOnlyList<ParameterGroup> Groups { get; init => field = [.. value]; } = [];

    /// <summary>
    /// The largest norm of all gradients of a step, to which larger ones are scaled down (PyTorch's clip_grad_norm_), or null
    /// (default) for none.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is not positive.</exception>
    public float? ClipNorm { get; init => field = RequirePositive(value, nameof(ClipNorm)); }

    /// <summary>
    /// Which norm <see cref="ClipNorm"/> bounds: 2 (default), Euclid's, or infinity, the largest magnitude (PyTorch's norm_type).
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is neither.</exception>
    public float ClipNormOrder
    {
        get; init => field = value is 2 or float.PositiveInfinity
            ? value
            : throw new ArgumentOutOfRangeException(
                nameof(ClipNormOrder), $"{Kind}: for ClipNormOrder expected 2 or infinity, got {value}.");
    } = 2;

    /// <summary>
    /// The largest magnitude of a gradient's element, at which larger ones are cut, or null (default) for none.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is not positive.</exception>
    public float? ClipValue { get; init => field = RequirePositive(value, nameof(ClipValue)); }

    /// <summary>Whether gradients are scaled before the update.</summary>
    internal bool Clips => ClipNorm is not null || ClipValue is not null;

    /// <summary>Whether it needs the largest magnitude of all gradients.</summary>
    internal bool ClipsByLargest => ClipNorm is not null && ClipNormOrder != 2;

    /// <summary>What one step does to a parameter.</summary>
    internal UpdateFunction Update =>
        _update ?? throw new InvalidOperationException($"{Name}: the update is recorded, no function computes it.");

    /// <summary>Whether a schedule may change its momentum.</summary>
    private protected virtual bool HasMomentum => false;

    /// <summary>What the schedule says of the momentum for the update at hand, or null.</summary>
    private protected float? ScheduledMomentum { get; private set; }

    /// <summary>What it remembers of the parameters: tensors as long as they are.</summary>
    internal virtual StateInfo[] StateInfos => Update.Info.States;

    /// <summary>What the states are before the first step.</summary>
    internal virtual float InitialState => 0;

    /// <summary>The weight decay of parameters in no group that has one of its own.</summary>
    internal float WeightDecay { get; }

    /// <summary>The numbers of a step, as the update's text names them.</summary>
    /// <param name="scalars">To fill, up to <see cref="UpdateScalars.Most"/>.</param>
    /// <param name="step">Counts from 1.</param>
    /// <param name="learningRate">That of the group they are for.</param>
    /// <param name="weightDecay">Likewise.</param>
    internal abstract void WriteScalars(Span<float> scalars, long step, float learningRate, float weightDecay);

    /// <summary>Takes the learning rate of an update from the schedule, if there is one.</summary>
    /// <param name="step">Counts from 1.</param>
    internal void Advance(long step)
    {
        if (Schedule is not null)
        {
            LearningRate = Schedule.At(step - 1);
        }

        if (MomentumSchedule is not null)
        {
            ScheduledMomentum = Share(MomentumSchedule.At(step - 1), "momentum");
        }
    }

    /// <summary>
    /// 1 - beta of the decimal number that was meant: 0.999f lies 1.3e-8 beside 0.999, which is 1.3e-5 of the difference to 1.
    /// </summary>
    private protected static float Complement(float beta) => (float)(1 - Meant(beta));

    /// <summary>1 - beta^step, in double: float loses most of its digits at small steps.</summary>
    private protected static double Correction(float beta, long step) => 1 - Math.Pow(Meant(beta), step);

    /// <summary>The decimal number that was meant, which takes a float's seven digits.</summary>
    private protected static double Meant(float value) => (double)(decimal)value;

    private protected float Share(float value, string name) => value is >= 0 and < 1
        ? value
        : throw new ArgumentOutOfRangeException(name, $"{Kind}: expected {name} in [0, 1), got {value}.");

    private protected float NotNegative(float value, string name) => RequireNotNegative(value, Kind, name);

    /// <summary>A number of an optimizer, or of what belongs to one, that must be finite and not negative.</summary>
    internal static float RequireNotNegative(float value, string owner, string name) => float.IsFinite(value) && value >= 0
        ? value
        : throw new ArgumentOutOfRangeException(name, $"{owner}: expected a finite {name} of at least 0, got {value}.");

    // Not Name, which classes of users may compute from fields that are not set yet.
    private string Kind => GetType().Name;

    private float? RequirePositive(float? value, string name) => value is null or > 0
        ? value
        : throw new ArgumentOutOfRangeException(name, $"{Kind}: expected a {name} above 0, got {value}.");
}
