namespace FastNN.Stress;

/// <summary>
/// A trainer that several threads step, save and dispose. A trainer refuses a second thread, so successful calls follow one
/// another in some order; as every step sees the same batch, the losses that all threads got must be those of the steps 0 to n -
/// 1, each once.
/// </summary>
internal sealed class SharedTrainer
{
    private readonly Lock _gate = new();
    private readonly Problem _problem;
    private readonly Device _device;
    private readonly Findings _findings;
    private readonly HashSet<int> _steps = [];
    private int _users = 1;
    private bool _disposed;

    public SharedTrainer(Problem problem, Device device, Findings findings)
    {
        (_problem, _device, _findings) = (problem, device, findings);
        Model = problem.Build();
        Trainer = problem.Train(Model, device);
    }

    public Sequential Model { get; }

    public Trainer Trainer { get; }

    public Problem Problem => _problem;

    /// <summary>Whether there is something to save.</summary>
    public bool HasStepped
    {
        get
        {
            lock (_gate)
            {
                return _steps.Count > 0;
            }
        }
    }

    /// <summary>Whether the oracle knows further steps.</summary>
    public bool IsFinished
    {
        get
        {
            lock (_gate)
            {
                return _disposed || _steps.Count >= Problem.Steps - 8;
            }
        }
    }

    /// <summary>Keeps the trainer's history open for a thread; false where all have left already.</summary>
    public bool TryJoin()
    {
        lock (_gate)
        {
            if (_users == 0)
            {
                return false;
            }

            _users++;
            return true;
        }
    }

    /// <summary>The last one out checks what all of them got.</summary>
    public void Leave()
    {
        lock (_gate)
        {
            if (--_users > 0)
            {
                return;
            }
        }

        int[] missing = [.. Enumerable.Range(0, _steps.Count).Where(step => !_steps.Contains(step))];
        if (missing.Length > 0)
        {
            _findings.Report($"{_problem}: {_steps.Count} steps succeeded, and none of them was step {missing[0]}");
            return;
        }

        // The trainer gave the values back to the model when it was disposed.
        using Predictor predictor = Model.CreatePredictor(_device);
        _findings.RequireSame(
            _problem.Predictions[_steps.Count], _problem.Predict(predictor, _problem.Batch),
            $"{_problem} after {_steps.Count} steps of many threads");
    }

    public void Step()
    {
        float loss = _problem.Step(Trainer);
        int step = _problem.StepOf(loss);
        lock (_gate)
        {
            if (step < 0 || !_steps.Add(step))
            {
                _findings.Report(
                    $"{_problem}: loss {loss:g9} is {(step < 0 ? "of no step" : $"of step {step}, which another call had")}");
            }
        }
    }

    /// <summary>Disposes, and says whether this call did it.</summary>
    public bool Dispose()
    {
        Trainer.Dispose();
        lock (_gate)
        {
            bool first = !_disposed;
            _disposed = true;
            return first;
        }
    }
}
