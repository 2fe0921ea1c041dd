using System.Diagnostics;
using System.Globalization;
using FastNN.Cli.Commands;
using FastNN.Cli.Recipes;
using FastNN.Cli.Reports;
using FastNN.Data;
using FastNN.Formats;
using Spectre.Console;

namespace FastNN.Cli.Running;

/// <summary>One `fastnn train`, from the checks before it to the report after it.</summary>
internal sealed class TrainingRun(RunSettings settings, CommandContext context)
{
    private readonly SupervisedRecipe _recipe = settings.Recipe;
    private readonly TextWriter _output = settings.Json == Outputs.StandardOutput ? context.Error : context.Output;

    public int Run()
    {
        // Whatever can fail is checked before the work.
        RequireCheckpoint();
        if (settings.Json is { } json)
        {
            Outputs.CheckJson(json);
        }

        using RunFolder? folder = RunFolder.Open(settings);
        string[] earlier = settings.TensorBoard is { } path
            ? TensorBoardFolder.EarlierRun(path, settings.Resume is not null, settings.Overwrite)
            : [];
        return Train(folder, earlier);
    }

    private int Train(RunFolder? folder, string[] earlierEvents)
    {
        using Device device = Devices.Open(settings.Device, settings.Threads, _output.WriteLine);
        RecipeData data = _recipe.Prepare(settings.Data, settings.Limit, _output.WriteLine);
        if (settings.HoldOut)
        {
            // The same examples for every run, so that the outcomes of a search can be compared.
            DatasetSplit split = data.Train.Split(0.1, seed: 0);
            data = data with { Train = split.Train, Test = split.Test };
        }

        Layer model = _recipe.CreateModel();
        model.Build(_recipe.ExampleShape, settings.Seed);
        int steps = Steps.Of(TrainingCount(data), settings.Batch, settings.Epochs);
        using var trainer = new Trainer(
            model, device, _recipe.Loss, _recipe.CreateOptimizer(settings.LearningRate, steps),
            settings.Seed);
        MemoryPlan plan = Planning.Plan(trainer, settings.Batch);
        Planning.RequireMemory(plan, settings.Batch, device);
        Display display = context.IsTerminal && _output == context.Output
            ? new LiveDisplay(settings, AnsiConsole.Console)
            : new PlainDisplay(settings, _output);
        WriteHeader(display, device, data, model, plan);
        var recorder = new RunRecorder(settings, data.Train.Count);
        using TensorBoardLog? log = OpenLog(device);
        using ProgressFile? progress = folder is null ? null : new ProgressFile(settings.Out!, folder.Continues);
        List<Callback> callbacks = Callbacks(display, recorder, progress, log, data);
        var job = new TrainingJob(
            trainer, data, settings.Epochs, settings.Batch, settings.Seed, callbacks, recorder, context.Cancellation)
        {
            TestsEveryEpoch = settings.HoldOut && _recipe.ValidationSplit == 0,
        };
        var watch = Stopwatch.StartNew();
        if (settings.Resume is { } checkpoint)
        {
            trainer.LoadCheckpoint(checkpoint, callbacks);
            _output.WriteLine($"resuming {checkpoint} after step {trainer.StepCount}");
        }

        folder?.DeleteEarlierRun();
        TensorBoardFolder.Delete(earlierEvents);
        TestResult test;
        TimeSpan time;
        try
        {
            display.Around(() => _recipe.Train(job));
            time = watch.Elapsed;
            test = Tester.Test(trainer, data.Test, _recipe, settings.Quick, context.Cancellation);
        }
        catch (NonFiniteLossException failure) when (settings.DetectAnomaly)
        {
            throw Anomaly.Explain(failure, trainer, _output);
        }
        catch (Exception exception) when (exception is OperationCanceledException
            || (exception is IOException && context.Cancellation.IsCancellationRequested))
        {
            // Where the terminal was closed, its display fails beside the signal.
            progress?.End("interrupted", "interrupted");
            return SaveInterrupted(trainer, callbacks);
        }

        Finish(device, trainer, data, plan, recorder, test, time);
        progress?.End(test.Outcome.Passed ? "passed" : "missed", test.Outcome.ToString());
        return 0;
    }

    private TensorBoardLog? OpenLog(Device device) => settings.TensorBoard is not { } path ? null : new TensorBoardLog(path)
    {
        WithWeights = true,
        WithGradients = true,
        Hyperparameters = new Dictionary<string, Hyperparameter>
        {
            ["recipe"] = _recipe.Name,
            ["epochs"] = settings.Epochs,
            ["batch"] = settings.Batch,
            ["learning_rate"] = settings.LearningRate,
            ["seed"] = settings.Seed,
            ["loss"] = _recipe.Loss.Name,
            ["device"] = device.Kind,
        },
    };

    private List<Callback> Callbacks(
        Display display, RunRecorder recorder, ProgressFile? progress, TensorBoardLog? log, RecipeData data)
    {
        List<Callback> callbacks =
        [
            // The recorder is first for every recipe: its state says which recipe a checkpoint is of, before another callback
            // reads its own.
            recorder, new ExponentialDecay(settings.LearningRate, _recipe.LearningRateDecay), .. _recipe.CreateCallbacks(),
            display,
        ];
        if (log is not null)
        {
            callbacks.AddRange([log, new TensorBoardImages(log, data.Train)]);
        }

        if (settings.Out is not null)
        {
            callbacks.Add(new CsvLog(settings.LogPath!));
            callbacks.Add(new ProgressCallback(progress!, settings));
            callbacks.Add(new CheckpointSaver(settings.CheckpointPath!, callbacks));
        }

        return callbacks;
    }

    private void Finish(
        Device device, Trainer trainer, RecipeData data, MemoryPlan plan, RunRecorder recorder, TestResult test, TimeSpan time)
    {
        string sum = SaveWeights(trainer.Model);
        Tester.Write(_output, test);
        _output.WriteLine();
        _output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"trained {recorder.Epochs} epochs in {time.TotalSeconds:F1} s: {recorder.SecondsPerEpoch(TrainingCount(data)):F2} s per epoch, {recorder.ImagesPerSecond:N0} images/s"));
        _output.WriteLine(test.Outcome.ToString());
        if (settings.WeightsPath is { } weights)
        {
            _output.WriteLine($"weights: {weights} (sha256 {sum})");
            KeptModel.Save(settings.ModelPath!, trainer.Model, data.Raw ?? data.Train, data.Standardizer);
            _output.WriteLine($"model: {settings.ModelPath}, for `fastnn serve` and Model.Load");
        }

        if (settings.Json is not null || settings.Out is not null)
        {
            var result = new RunResult
            {
                Recipe = _recipe.Name,
                Device = device.Kind,
                Threads = device.Threads,
                Seed = settings.Seed,
                Epochs = recorder.Epochs,
                Batch = settings.Batch,
                Parameters = trainer.Model.Parameters.Sum(parameter => parameter.Count),
                SecondsPerEpoch = recorder.SecondsPerEpoch(TrainingCount(data)),
                ImagesPerSecond = recorder.ImagesPerSecond,
                PlanPeakBytes = plan.PeakBytes,
                PlanLowerBoundBytes = plan.LowerBoundBytes,
                Quick = settings.Quick,
                Outcome = test.Outcome,
                Losses = recorder.Losses,
                Metrics = test.Metrics,
                WeightsSha256 = sum,
            };
            foreach (string path in new[] { settings.Json, settings.ResultPath }.OfType<string>())
            {
                Outputs.WriteJson(path, context.Output, result, ResultJson.Default.RunResult);
            }
        }

        if (settings.Out is { } folder)
        {
            if (_recipe.Draw(trainer, data.Test) is { } picture)
            {
                AtomicFile.Write(settings.PicturePath!, stream => stream.Write(picture));
            }

            TrainingReport(device, trainer, data, plan, recorder, test, time).Save(folder);
        }
    }

    private RunReport TrainingReport(
        Device device, Trainer trainer, RecipeData data, MemoryPlan plan, RunRecorder recorder, TestResult test, TimeSpan time)
    {
        int batch = Math.Min(settings.Batch, data.Test.Count);
        return new RunReport
        {
            Recipe = _recipe,
            Outcome = test.Outcome,
            Tiles =
            [
                ("test loss", RunReport.Number(test.Evaluation.Loss)),
                .. test.Evaluation.Metrics.Names.Select(
                    name => ($"test {name}", RunReport.Number(test.Evaluation.Metrics[name]))),
                ("epochs", RunReport.Number(recorder.Epochs)),
                ("seconds", RunReport.Number(Math.Round(time.TotalSeconds, 1))),
                ("examples a second", RunReport.Number(Math.Round(recorder.ImagesPerSecond))),
                ("parameters", RunReport.Number(trainer.Model.Parameters.Sum(parameter => parameter.Count))),
                ("memory of a step", MemoryPicture.Bytes(plan.PeakBytes)),
            ],
            Settings = [.. Options()],
            Device = device,
            Losses = new Dictionary<string, IReadOnlyList<float>> { [""] = recorder.Losses },
            Epochs = EpochLog.Read(settings.LogPath!),
            Held = _recipe.TestsEveryEpoch ? "test" : "validation",
            Confusion = test.Evaluation.Confusion,
            Mistakes = Mistakes.Find(trainer, data.Test, _recipe, test.Evaluation.Confusion),
            Profile = OperatorTimes.Measure(trainer.Model, device, data.Test, _recipe, batch),
            ProfileBatch = batch,
            Plan = plan,
        };
    }

    private IEnumerable<(string Name, string Value)> Options()
    {
        yield return ("epochs", Text(settings.Epochs));
        yield return ("batch", Text(settings.Batch));
        yield return ("learning rate", Text(settings.LearningRate));
        yield return ("seed", Text(settings.Seed));
        yield return ("form", settings.Quick ? "--quick" : "whole");
        if (settings.Limit is { } limit)
        {
            yield return ("limit", Text(limit));
        }

        if (settings.HoldOut)
        {
            yield return ("tested on", "a tenth held out from the training data");
        }

        string Text(IFormattable value) => value.ToString(null, CultureInfo.InvariantCulture);
    }

    /// <summary>Examples trained on per epoch, without those held out for validation.</summary>
    private int TrainingCount(RecipeData data) => data.Train.Count - _recipe.HeldOut(data.Train.Count);

    private int SaveInterrupted(Trainer trainer, List<Callback> callbacks)
    {
        string message;
        if (settings.CheckpointPath is not { } path)
        {
            message = "interrupted; without --out DIR nothing is saved";
        }
        else if (trainer.StepCount == 0)
        {
            message = "interrupted before the first step; there is nothing to save";
        }
        else
        {
            trainer.SaveCheckpoint(path, callbacks);
            message = $"interrupted after step {trainer.StepCount}; to continue: {ResumeCommand.For(settings)}";
        }

        Failure.Report(context.Error, message);
        return Failure.Interrupted;
    }

    private string SaveWeights(Layer model)
    {
        string path = settings.WeightsPath ?? Path.Combine(Path.GetTempPath(), $"fastnn-{Guid.NewGuid():N}.safetensors");
        try
        {
            model.SaveWeights(path);
            return RunResult.Sha256(path);
        }
        finally
        {
            if (settings.WeightsPath is null)
            {
                File.Delete(path);
            }
        }
    }

    private void RequireCheckpoint()
    {
        if (settings.Resume is { } checkpoint && !File.Exists(checkpoint))
        {
            throw new CliException($"--resume: there is no checkpoint {checkpoint}");
        }
    }

    private void WriteHeader(Display display, Device device, RecipeData data, Layer model, MemoryPlan plan)
    {
        IReadOnlyList<Parameter> parameters = model.Parameters;
        display.Line($"{_recipe.Name}: {_recipe.Network}");
        display.Line(string.Create(
            CultureInfo.InvariantCulture,
            $"{parameters.Sum(parameter => parameter.Count):N0} parameters, {plan.PeakBytes / 1048576.0:F2} MiB for a step of {settings.Batch}; {device.Description}"));
        display.Line(string.Create(
            CultureInfo.InvariantCulture,
            $"{data.Description}: {data.Train.Count:N0} training and {data.Test.Count:N0} test examples; {settings.Epochs} epochs, learning rate {settings.LearningRate}, seed {settings.Seed}"));
    }
}
