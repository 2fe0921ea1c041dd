using System.Diagnostics;

namespace FastNN.Stress;

/// <summary>
/// One process: many threads do what users may do, in random order, on one device. Each answer is compared with the one computed
/// alone.
/// </summary>
internal sealed class Round
{
    private const int Slots = 3;

    private readonly Options _options;
    private readonly string _folder;
    private readonly Device _device;
    private readonly Findings _findings = new();
    private readonly Watchdog _watchdog;
    private readonly SharedTrainer[] _trainers = new SharedTrainer[Slots];
    private readonly SharedPredictor?[] _predictors = new SharedPredictor?[Slots];
    private readonly (string Name, int Weight, Action<Random> Run)[] _operations;

    private Round(Options options, string folder)
    {
        (_options, _folder) = (options, folder);
        _watchdog = new Watchdog(options.Threads, options.Patience);
        using (Device alone = options.Open(threads: 1))
        {
            foreach (Problem problem in Problem.All)
            {
                problem.Solve(alone);
            }
        }

        _device = options.Open(threads: 2);
        var random = new Random(options.Seed);
        for (int i = 0; i < Slots; i++)
        {
            _trainers[i] = new SharedTrainer(Any(random), _device, _findings);
        }

        _operations =
        [
            ("steps of a shared trainer", 30, StepShared),
            ("checkpoints of a shared trainer, resumed", 4, CheckpointShared),
            ("disposals of a shared trainer", 3, DisposeShared),
            ("predictions of a shared predictor", 40, PredictShared),
            ("compilations of a shared predictor", 6, CompileShared),
            ("disposals of a shared predictor", 6, DisposePredictor),
            ("private trainings", 6, TrainPrivately),
            ("private fits", 3, FitPrivately),
            ("private devices", 2, UsePrivateDevice),
            ("looks at memory", 3, LookAtMemory),
            ("disposals of a busy device", 3, DisposeBusyDevice),
            ("compilations of a model in training", 3, CompileInTraining),
            ("disposals in a callback", 3, DisposeInCallback),
            ("first steps that fail", 3, FailFirstStep),
        ];
    }

    /// <summary>Runs for the options' time and says what was done; the exit code is 0 where nothing was wrong.</summary>
    public static int Run(Options options)
    {
        string folder = Directory.CreateTempSubdirectory("fastnn-stress-").FullName;
        try
        {
            var round = new Round(options, folder);
            round.Work();
            Console.Out.WriteLine(
                $"seed {options.Seed}: {round._findings.Operations} operations: {round._findings}; {round._findings.Wrong} wrong");
            return round._findings.Wrong == 0 ? 0 : 1;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private void Work()
    {
        _watchdog.Start();
        long start = Stopwatch.GetTimestamp();
        Thread[] threads = [.. Enumerable.Range(0, _options.Threads).Select(index => new Thread(() => Loop(index, start)))];
        Array.ForEach(threads, thread => thread.Start());
        Array.ForEach(threads, thread => thread.Join());
        foreach (SharedTrainer trainer in _trainers)
        {
            trainer.Dispose();
            trainer.Leave();
        }

        foreach (SharedPredictor? predictor in _predictors)
        {
            predictor?.Dispose();
        }

        DeviceMemory left = _device.Memory;
        if (left.LiveBytes != 0 || left.LiveBlocks != 0)
        {
            _findings.Report($"{left.LiveBlocks} blocks of {left.LiveBytes} bytes are left on the device when all is disposed");
        }

        _device.Dispose();
    }

    private void Loop(int index, long start)
    {
        var random = new Random(HashCode(_options.Seed, index));
        int sum = _operations.Sum(operation => operation.Weight);
        while (Stopwatch.GetElapsedTime(start) < _options.Duration)
        {
            int draw = random.Next(sum);
            (string name, _, Action<Random> run) = _operations.First(operation => (draw -= operation.Weight) < 0);
            _watchdog.Begin(index, name);
            try
            {
                run(random);
                _findings.Count(name);
            }
            catch (Exception exception) when (exception is ConcurrentUseException or ObjectDisposedException)
            {
                // What a thread is told that came second; operations that share nothing catch these themselves.
                _findings.Count(name + " refused");
            }
#pragma warning disable CA1031 // Every other exception is a finding, and the other threads go on.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                _findings.Report($"{name}: {exception}");
            }

            _watchdog.End(index);
        }
    }

    /// <summary>Runs an operation on one of the shared trainers, whose history stays open meanwhile.</summary>
    private void WithShared(Random random, Action<SharedTrainer, int> run)
    {
        int slot = random.Next(Slots);
        SharedTrainer trainer = Volatile.Read(ref _trainers[slot]);
        if (!trainer.TryJoin())
        {
            return;
        }

        try
        {
            run(trainer, slot);
        }
        finally
        {
            trainer.Leave();
        }
    }

    private void StepShared(Random random) => WithShared(random, (trainer, _) =>
    {
        if (!trainer.IsFinished)
        {
            trainer.Step();
        }
    });

    private void CheckpointShared(Random random) => WithShared(random, (trainer, _) =>
    {
        if (!trainer.HasStepped)
        {
            return;
        }

        Problem problem = trainer.Problem;
        string path = Path.Combine(_folder, $"{Guid.NewGuid():N}.safetensors");
        trainer.Trainer.SaveCheckpoint(path);
        Privately(() =>
        {
            using Trainer resumed = problem.Train(problem.Build(), _device);
            resumed.LoadCheckpoint(path);
            Follow(problem, resumed, (int)resumed.StepCount, (int)resumed.StepCount + 2, "resumed");
        });
        File.Delete(path);
    });

    private void DisposeShared(Random random) => WithShared(random, (trainer, slot) =>
    {
        if (trainer.Dispose())
        {
            Volatile.Write(ref _trainers[slot], new SharedTrainer(Any(random), _device, _findings));
            trainer.Leave();
        }
    });

    private void PredictShared(Random random) =>
        Volatile.Read(ref _predictors[random.Next(Slots)])?.Predict(random.Next(2) == 0, _findings);

    private void CompileShared(Random random)
    {
        Problem problem = Any(random);
        Predictor predictor = problem.Build().CreatePredictor(_device);
        Interlocked.Exchange(ref _predictors[random.Next(Slots)], new SharedPredictor(problem, predictor, step: 0))?.Dispose();
    }

    private void DisposePredictor(Random random) => Volatile.Read(ref _predictors[random.Next(Slots)])?.Dispose();

    private void TrainPrivately(Random random) => Privately(() => Train(Any(random), _device, random.Next(1, Problem.Steps)));

    private void FitPrivately(Random random) => Privately(() =>
    {
        Problem problem = Any(random);
        int epochs = random.Next(1, Problem.Epochs + 1);
        using Trainer trainer = problem.Train(problem.Build(), _device);
        double[] losses = problem.Fit(trainer, epochs);
        if (!losses.AsSpan().SequenceEqual(problem.FitLosses.AsSpan(0, epochs)))
        {
            _findings.Report(
                $"{problem}: epochs of Fit gave {string.Join(' ', losses)}, alone they give {string.Join(' ', problem.FitLosses)}");
        }
    });

    private void UsePrivateDevice(Random random) => Privately(() =>
    {
        using Device device = _options.Open(random.Next(1, 4));
        Train(Any(random), device, random.Next(1, 8));
    });

    private void LookAtMemory(Random random)
    {
        DeviceMemory memory = _device.Memory;
        if (memory.LiveBytes < 0 || memory.LiveBlocks < 0)
        {
            _findings.Report($"the device counts {memory}");
        }

        if (random.Next(8) == 0)
        {
            _device.Trim();
        }
    }

    private void DisposeBusyDevice(Random random)
    {
        Problem problem = Any(random);
        using Device device = _options.Open(2);
        using Predictor predictor = problem.Build().CreatePredictor(device);
        Thread[] callers = [.. Enumerable.Range(0, 3).Select(_ => new Thread(() =>
        {
            try
            {
                for (int call = 0; call < 1000; call++)
                {
                    _findings.RequireSame(
                        problem.Predictions[0], problem.Predict(predictor, problem.Batch),
                        $"{problem} on a device that is disposed");
                }
            }
            catch (ObjectDisposedException)
            {
            }
        }))];
        Array.ForEach(callers, caller => caller.Start());
        Thread.Sleep(random.Next(0, 10));
        device.Dispose();
        Array.ForEach(callers, caller => caller.Join());
    }

    private void CompileInTraining(Random random) => WithShared(random, (trainer, _) =>
    {
        Problem problem = trainer.Problem;
        using Predictor predictor = trainer.Model.CreatePredictor(_device);
        float[] y = problem.Predict(predictor, problem.Batch);
        if (!Array.Exists(problem.Predictions, expected => Problem.SameBits(expected, y)))
        {
            _findings.Report($"{problem}: a model compiled in training is that of no step");
        }
    });

    private void DisposeInCallback(Random random)
    {
        Problem problem = Any(random);
        using Trainer trainer = problem.Train(problem.Build(), _device);
        try
        {
            trainer.Fit(problem.Data(), epochs: 3, problem.Batch, callbacks: [new DisposingCallback()]);
            _findings.Report($"{problem}: Fit went on in a trainer that a callback disposed");
        }
        catch (Exception exception) when (exception is InvalidOperationException)
        {
            // ObjectDisposedException is one of these.
        }
    }

    private void FailFirstStep(Random random)
    {
        Problem problem = Any(random);
        Layer model = problem.BuildUnfinished();
        using (Trainer trainer = problem.Train(model, _device))
        {
            try
            {
                problem.Step(trainer);
                _findings.Report($"{problem}: a step with a parameter that has no values succeeded");
            }
            catch (InvalidOperationException)
            {
            }
        }

        // What had values has them still; the one that failed the step never had any.
        Parameter first = model.Parameters.First(parameter => parameter.Name != "late");
        first.Read(new float[first.Count]);
    }

    private void Train(Problem problem, Device device, int steps)
    {
        Sequential model = problem.Build();
        using (Trainer trainer = problem.Train(model, device))
        {
            Follow(problem, trainer, 0, steps, "trained");
        }

        using Predictor predictor = model.CreatePredictor(device);
        _findings.RequireSame(
            problem.Predictions[steps], problem.Predict(predictor, problem.Batch), $"{problem} after {steps} steps");
    }

    private void Follow(Problem problem, Trainer trainer, int from, int to, string what)
    {
        for (int step = from; step < Math.Min(to, Problem.Steps); step++)
        {
            float loss = problem.Step(trainer);
            if (BitConverter.SingleToInt32Bits(loss) != BitConverter.SingleToInt32Bits(problem.Losses[step]))
            {
                _findings.Report($"{problem} {what}: loss of step {step} is {loss:g9}, alone it is {problem.Losses[step]:g9}");
                return;
            }
        }
    }

    /// <summary>An operation on what no other thread has: it may not be told that another uses it.</summary>
    private static void Privately(Action run)
    {
        try
        {
            run();
        }
        catch (Exception exception) when (exception is ConcurrentUseException or ObjectDisposedException)
        {
            throw new InvalidOperationException("what no other thread has was refused", exception);
        }
    }

    private static Problem Any(Random random) => Problem.All[random.Next(Problem.All.Count)];

    private static int HashCode(int seed, int thread) => unchecked((seed * 16777619) ^ ((thread + 1) * 668265263));

    private sealed class DisposingCallback : Callback
    {
        public override void OnBatchEnd(Trainer trainer, in BatchResult result) => trainer.Dispose();
    }
}
