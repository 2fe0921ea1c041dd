using System.Globalization;
using FastNN.Cli.Running;
using FastNN.Data;

namespace FastNN.Cli.Recipes;

/// <summary>
/// A recipe that trains one network on examples with targets. Options of the command line replace its defaults, its steps are
/// planned before they run, and an interrupted run continues bit for bit.
/// </summary>
internal abstract class SupervisedRecipe : Recipe
{
    public abstract int Epochs { get; }

    public abstract int Batch { get; }

    public virtual float LearningRate => 1e-3f;

    /// <summary>What the learning rate is multiplied with from epoch to epoch.</summary>
    public virtual float LearningRateDecay => 1;

    /// <summary>The share of the training data that is held out to validate on.</summary>
    public virtual double ValidationSplit => 0;

    /// <summary>What --quick takes of the training.</summary>
    public virtual (int Epochs, int Limit) Quick => (1, 6400);

    /// <summary>What training and testing report beside the loss.</summary>
    public virtual IReadOnlyList<Metric> Metrics => [];

    /// <summary>Whether the test data is evaluated after every epoch. It must not influence training then.</summary>
    public virtual bool TestsEveryEpoch => false;

    /// <summary>The shape of one example, so that a plan needs no data.</summary>
    public abstract Shape ExampleShape { get; }

    public abstract Loss Loss { get; }

    public abstract Layer CreateModel();

    /// <param name="learningRate">The highest learning rate.</param>
    /// <param name="steps">The steps of the whole run, for schedules that end with it.</param>
    public virtual Optimizer CreateOptimizer(float learningRate, int steps) => new Adam(learningRate);

    /// <summary>A trainer for commands that plan, measure or test, and train no run: its schedule has no end to meet.</summary>
    public Trainer CreateTrainer(Layer model, Device device) =>
        new(model, device, Loss, CreateOptimizer(LearningRate, steps: 1000));

    /// <summary>Watchers that belong to the recipe's training, such as early stopping.</summary>
    public virtual IEnumerable<Callback> CreateCallbacks() => [];

    /// <summary>Loads the data with the targets that the loss wants.</summary>
    /// <param name="source">Where it lies, or null for the cache.</param>
    /// <param name="progress">Told in one line what is done.</param>
    public abstract RecipeData Load(string? source, Action<string> progress);

    /// <summary>
    /// Loads the data, takes the first training examples where there is a limit, and checks that a run can use them.
    /// </summary>
    public RecipeData Prepare(string? source, int? limit, Action<string> progress)
    {
        RecipeData data = Load(source, progress);
        foreach (Dataset part in (Dataset[])[data.Train, data.Test])
        {
            var shape = new Shape(part.ExampleShape);
            if (shape != ExampleShape)
            {
                throw new CliException(
                    $"--data {source}: the examples have shape {shape}, {Name} takes examples of shape {ExampleShape}");
            }
        }

        if (limit is { } count)
        {
            data = data with { Train = data.Train.Take(count) };
        }

        int least = 1;
        while (ValidationSplit > 0 && (HeldOut(least) == 0 || HeldOut(least) == least))
        {
            least++;
        }

        return data.Train.Count >= least
            ? data
            : throw new CliException(string.Create(
                CultureInfo.InvariantCulture,
                $"{(limit is null ? $"--data {source}" : $"--limit {limit}")}: {Name} holds out {100 * ValidationSplit:0.#} % of the training examples for validation and needs at least {least} examples, got {data.Train.Count}"));
    }

    /// <summary>How many of so many training examples are held out for validation.</summary>
    public int HeldOut(int examples) => (int)Math.Round(examples * ValidationSplit, MidpointRounding.AwayFromZero);

    /// <summary>What changes the training batches, or null; examples are then validated and tested on as they are.</summary>
    public virtual IBatchTransform? CreateTransform() => null;

    /// <summary>Trains; by default as Keras' fit does.</summary>
    public virtual void Train(TrainingJob job) => job.Trainer.Fit(
        job.Data.Train, job.Epochs, job.Batch, TestsEveryEpoch || job.TestsEveryEpoch ? job.Data.Test : null, ValidationSplit,
        job.Callbacks, CreateTransform(), metrics: Metrics, cancellationToken: job.Cancellation);

    /// <summary>A PNG of what the trained network makes of test examples, which --out keeps; null, the default, for
    /// none.</summary>
    /// <param name="trainer">What trained the network.</param>
    /// <param name="test">The test examples.</param>
    public virtual byte[]? Draw(Trainer trainer, Dataset test) => null;

    /// <summary>The value that <see cref="Recipe.Goal"/> is about: by default the accuracy.</summary>
    public virtual double Measure(Evaluation test) => test.Accuracy
        ?? throw new InvalidOperationException($"{Name}: expected a loss with classes, got {Loss.Name}; override Measure");
}

/// <summary>What a recipe trains and tests on.</summary>
/// <param name="Train">Training examples, those for validation included.</param>
/// <param name="Test">Test examples.</param>
/// <param name="Description">What it is, in one line.</param>
internal sealed record RecipeData(Dataset Train, Dataset Test, string Description)
{
    /// <summary>What a recipe trains on before that; null for most.</summary>
    public Dataset? Before { get; init; }

    /// <summary>The training examples before they were standardized; null where they were not.</summary>
    public Dataset? Raw { get; init; }

    /// <summary>What standardized them.</summary>
    public Standardizer? Standardizer { get; init; }
}
