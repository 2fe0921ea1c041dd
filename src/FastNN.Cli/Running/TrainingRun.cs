using System.Diagnostics;
using System.Globalization;
using FastNN.Cli.Commands;
using FastNN.Cli.Recipes;
using Spectre.Console;

namespace FastNN.Cli.Running;

/// <summary>One `fastnn train`, from the checks before it to the report after it.</summary>
internal sealed class TrainingRun(RunSettings settings, CommandContext context)
{
    private readonly Recipe _recipe = settings.Recipe;
    private readonly TextWriter _output = settings.Json == Outputs.StandardOutput ? context.Error : context.Output;

    public int Run()
    {
        // What could make the work vain is tried before it.
        RequireCheckpoint();
        if (settings.Json is { } json)
        {
            Outputs.CheckJson(json);
        }

        bool made = settings.Out is { } folder && Outputs.PrepareFolder(folder);
        try
        {
            return Train();
        }
        finally
        {
            if (made && !Directory.EnumerateFileSystemEntries(settings.Out!).Any())
            {
                Directory.Delete(settings.Out!);
            }
        }
    }

    private int Train()
    {
        using Device device = Devices.Open(settings.Device, settings.Threads, _output.WriteLine);
        RecipeData data = _recipe.Load(settings.Data, _output.WriteLine);
        if (settings.Limit is { } limit)
        {
            data = data with { Train = data.Train.Take(limit) };
        }

        Layer model = _recipe.CreateModel();
        model.Build(_recipe.ExampleShape, settings.Seed);
        using var trainer = new Trainer(model, device, _recipe.Loss, _recipe.CreateOptimizer(settings.LearningRate), settings.Seed);
        MemoryPlan plan = trainer.PlanMemory(settings.Batch);
        WriteHeader(device, data, model, plan);

        Display display = context.IsTerminal && _output == context.Output
            ? new LiveDisplay(settings, AnsiConsole.Console)
            : new PlainDisplay(settings, _output);
        var recorder = new RunRecorder(settings, data.Train.Count);
        List<Callback> callbacks = Callbacks(display, recorder);
        var job = new TrainingJob(trainer, data, settings.Epochs, settings.Batch, settings.Seed, callbacks, recorder, context.Cancellation);
        var watch = Stopwatch.StartNew();
        if (settings.Resume is { } checkpoint)
        {
            trainer.Resume(checkpoint, callbacks);
            _output.WriteLine($"resuming {checkpoint} after step {trainer.StepCount}");
        }

        TestResult test;
        TimeSpan time;
        try
        {
            display.Around(() => _recipe.Train(job));
            time = watch.Elapsed;
            test = Tester.Test(trainer, data.Test, context.Cancellation);
        }
        catch (OperationCanceledException)
        {
            return SaveInterrupted(trainer, callbacks);
        }

        Finish(device, trainer, data, plan, recorder, test, time);
        return 0;
    }

    private List<Callback> Callbacks(Display display, RunRecorder recorder)
    {
        List<Callback> callbacks =
        [
            new ExponentialDecay(settings.LearningRate, _recipe.LearningRateDecay), .. _recipe.CreateCallbacks(), recorder, display,
        ];
        if (settings.Out is not null)
        {
            callbacks.Add(new CsvLog(settings.LogPath!));
            callbacks.Add(new CheckpointSaver(settings.CheckpointPath!, callbacks));
        }

        return callbacks;
    }

    private void Finish(Device device, Trainer trainer, RecipeData data, MemoryPlan plan, RunRecorder recorder, TestResult test, TimeSpan time)
    {
        string sum = SaveWeights(trainer.Model);
        Tester.Write(_output, test);
        _output.WriteLine();
        _output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"trained {recorder.Epochs} epochs in {time.TotalSeconds:F1} s: {recorder.SecondsPerEpoch(TrainingCount(data)):F2} s per epoch, {recorder.ImagesPerSecond:N0} images/s"));
        if (settings.WeightsPath is { } weights)
        {
            _output.WriteLine($"weights: {weights} (sha256 {sum})");
        }

        if (settings.Json is { } json)
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
                Losses = recorder.Losses,
                Metrics = test,
                WeightsSha256 = sum,
            };
            Outputs.WriteJson(json, context.Output, result.Write);
        }
    }

    /// <summary>Examples trained on per epoch, those held out to validate on apart.</summary>
    private int TrainingCount(RecipeData data) =>
        data.Train.Count - (int)Math.Round(data.Train.Count * _recipe.ValidationSplit, MidpointRounding.AwayFromZero);

    private int SaveInterrupted(Trainer trainer, List<Callback> callbacks)
    {
        if (settings.CheckpointPath is { } path && trainer.StepCount > 0)
        {
            trainer.SaveCheckpoint(path, callbacks);
            context.Error.WriteLine($"fastnn: interrupted after step {trainer.StepCount}; to continue: {ResumeCommand()}");
        }
        else
        {
            context.Error.WriteLine("fastnn: interrupted; nothing is kept without --out DIR");
        }

        return Failure.Interrupted;
    }

    private string ResumeCommand()
    {
        var command = new List<string> { "fastnn", "train", _recipe.Name };
        void Add(string option, object? value, object? normal)
        {
            if (value is not null && !value.Equals(normal))
            {
                string text = Convert.ToString(value, CultureInfo.InvariantCulture)!;
                command.AddRange([option, text.Contains(' ', StringComparison.Ordinal) ? $"'{text}'" : text]);
            }
        }

        Add("--epochs", settings.Epochs, _recipe.Epochs);
        Add("--batch", settings.Batch, _recipe.Batch);
        Add("--lr", settings.LearningRate, _recipe.LearningRate);
        Add("--seed", settings.Seed, 0UL);
        Add("--limit", settings.Limit, null);
        Add("--data", settings.Data, null);
        Add("--out", settings.Out, null);
        return string.Join(' ', command) + " --resume";
    }

    private string SaveWeights(Layer model)
    {
        string path = settings.WeightsPath ?? Path.Combine(Path.GetTempPath(), $"fastnn-{Guid.NewGuid():N}.safetensors");
        try
        {
            model.Save(path);
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

    private void WriteHeader(Device device, RecipeData data, Layer model, MemoryPlan plan)
    {
        IReadOnlyList<Parameter> parameters = model.Parameters;
        _output.WriteLine($"{_recipe.Name}: {_recipe.Network}");
        _output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{parameters.Sum(parameter => parameter.Count):N0} parameters, {plan.PeakBytes / 1048576.0:F2} MiB for a step of {settings.Batch}; {device.Description}"));
        _output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{data.Description}: {data.Train.Count:N0} training and {data.Test.Count:N0} test examples; {settings.Epochs} epochs, learning rate {settings.LearningRate}, seed {settings.Seed}"));
    }
}
