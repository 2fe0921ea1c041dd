using System.Globalization;
using FastNN.Cli.Commands;
using FastNN.Cli.Recipes;
using FastNN.Data;

namespace FastNN.Cli.Running;

/// <summary>
/// `fastnn train --overfit-one-batch`: trains on one batch alone, without augmentation, until the network knows it by heart. A
/// network that cannot do this has a fault in its layers, its loss or its learning rate, which a whole run would take hours to
/// show.
/// </summary>
internal sealed class OverfitRun(RunSettings settings, CommandContext context)
{
    private const int Steps = 1000;

    /// <summary>What of the first loss may be left.</summary>
    private const double Left = 0.05;

    /// <summary>Steps after which the batch is tested; each multiple of the last, too.</summary>
    private static readonly int[] Tested = [1, 2, 5, 10, 20, 50, 100];

    private readonly SupervisedRecipe _recipe = settings.Recipe;
    private readonly TextWriter _output = settings.Json == Outputs.StandardOutput ? context.Error : context.Output;
    private readonly List<float> _losses = [];

    public int Run()
    {
        if (settings.Json is { } json)
        {
            Outputs.CheckJson(json);
        }

        string[] earlier = settings.TensorBoard is { } folder
            ? TensorBoardFolder.EarlierRun(folder, resumes: false, settings.Overwrite)
            : [];
        using Device device = Devices.Open(settings.Device, settings.Threads, _output.WriteLine);
        RecipeData data = _recipe.Prepare(settings.Data, settings.Limit, _output.WriteLine);
        Layer model = _recipe.CreateModel();
        model.Build(_recipe.ExampleShape, settings.Seed);
        using var trainer = new Trainer(
            model, device, _recipe.Loss, _recipe.CreateOptimizer(settings.LearningRate, Steps), settings.Seed);
        // Shuffled: the first examples of data in the order of its classes would all be of one.
        Dataset batch = data.Train.Shuffle(settings.Seed).Take(settings.Batch);
        Planning.RequireMemory(Planning.Plan(trainer, batch.Count), batch.Count, device);
        _output.WriteLine($"{_recipe.Name}: {_recipe.Network}");
        _output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{data.Description}: {batch.Count} training examples, again and again; learning rate {settings.LearningRate}, seed {settings.Seed}"));
        TensorBoardFolder.Delete(earlier);
        using TensorBoardWriter? board = settings.TensorBoard is { } runs ? new TensorBoardWriter(runs) : null;
        Evaluation last;
        try
        {
            last = Train(trainer, batch, board);
        }
        catch (NonFiniteLossException failure) when (settings.DetectAnomaly)
        {
            throw Anomaly.Explain(failure, trainer, _output);
        }

        Outcome outcome = new Goal("loss on the batch", Left * _losses[0], AtMost: true).Judge(last.Loss);
        _output.WriteLine(outcome.Passed
            ? $"{outcome}: the network knows the batch by heart"
            : $"{outcome}: look at the layers, the loss, the targets and the learning rate; dropout and weight decay also keep a network from it");
        if (settings.Json is { } path)
        {
            var result = new OverfitResult(
                _recipe.Name, device.Kind, settings.Seed, batch.Count, _losses.Count, settings.LearningRate, outcome,
                last.Accuracy, _losses);
            Outputs.WriteJson(path, context.Output, result, ResultJson.Default.OverfitResult);
        }

        return 0;
    }

    private Evaluation Train(Trainer trainer, Dataset batch, TensorBoardWriter? board)
    {
        using var loader = new DataLoader(batch, batch.Count, shuffle: false);
        loader.StartEpoch(1, cancellationToken: context.Cancellation);
        loader.TryNext(out Batch examples);
        for (int step = 1; ; step++)
        {
            context.Cancellation.ThrowIfCancellationRequested();
            float loss = batch.HasLabels
                ? trainer.TrainBatch(examples.Features, examples.Labels)
                : trainer.TrainBatch(examples.Features, examples.Targets);
            _losses.Add(loss);
            board?.AddScalar("overfit/loss", loss, step);
            if (step % Tested[^1] != 0 && !Tested.Contains(step))
            {
                continue;
            }

            // As in inference: what dropout and the batch's own statistics do to the loss is not the question.
            Evaluation test = trainer.Evaluate(batch, batch.Count, cancellationToken: context.Cancellation);
            _output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"step {step,4}  loss {loss:F4}, in inference {test.Loss:F4}{(test.Accuracy is { } share ? $", accuracy {100 * share:F1} %" : "")}"));
            _output.Flush();
            board?.AddScalar("overfit/inference_loss", test.Loss, step);
            if (step >= Steps || test.Loss <= Left * _losses[0])
            {
                return test;
            }
        }
    }
}

/// <summary>What `train --overfit-one-batch` writes as JSON.</summary>
internal sealed record OverfitResult(
    string Recipe, string Device, ulong Seed, int Batch, int Steps, float LearningRate, Outcome Outcome, double? Accuracy,
    IReadOnlyList<float> Losses);
