using FastNN.Graphs;
using FastNN.Kernels;

namespace FastNN;

/// <content>The average of the weights in their place.</content>
public sealed partial class Trainer
{
    /// <summary>What would change or save the weights that training goes on with.</summary>
    private static readonly string[] Training =
    [
        nameof(Fit), nameof(TrainBatch), nameof(Forward), nameof(Backward), nameof(Update), nameof(SaveCheckpoint),
        nameof(LoadCheckpoint), nameof(UseAverage),
    ];

    private bool _isAveraged;

    /// <summary>
    /// Whether <see cref="Fit"/> validates with the average of the weights (<see cref="FastNN.Optimizer.Average"/>); default
    /// false.
    /// </summary>
    /// <exception cref="InvalidOperationException">The optimizer keeps none.</exception>
    public bool EvaluatesAverage
    {
        get; init => field = !value || Optimizer.Average is not null ? value : throw NoAverage(nameof(EvaluatesAverage));
    }

    /// <summary>
    /// Puts the average of the weights (<see cref="FastNN.Optimizer.Average"/>) in their place until the result is disposed:
    /// <c>using (trainer.UseAverage()) { trainer.Evaluate(test); trainer.Model.SaveWeights(path); }</c>. Training meanwhile is
    /// refused. A trainer that is disposed before it leaves the average in the model.
    /// </summary>
    /// <returns>Puts the weights back.</returns>
    /// <exception cref="InvalidOperationException">The optimizer keeps no average, there was no step yet, or the average is in
    /// place.</exception>
    public IDisposable UseAverage()
    {
        using Occupancy.Stay stay = Enter(nameof(UseAverage));
        using DeviceUse use = _device.Life.Enter();
        if (Optimizer.Average is null)
        {
            throw NoAverage(nameof(UseAverage));
        }

        if (StepCount == 0)
        {
            throw new InvalidOperationException("Trainer.UseAverage: expected at least one training step before it.");
        }

        ExchangeAverage();
        _isAveraged = true;
        return new AverageUse(this);
    }

    private static InvalidOperationException NoAverage(string operation) =>
        new($"Trainer.{operation}: expected an optimizer with an Average, such as WeightAverage.Exponential().");

    private void EndAverage()
    {
        if (_disposed != 0 || !_isAveraged)
        {
            return;
        }

        using Occupancy.Stay stay = Enter(nameof(EndAverage));
        using DeviceUse use = _device.Life.Enter();
        _isAveraged = false;
        ExchangeAverage();
    }

    private void ExchangeAverage()
    {
        _step!.ExchangeAverage();
        _step.Invalidate();
    }

    private sealed class AverageUse(Trainer trainer) : IDisposable
    {
        private Trainer? _trainer = trainer;

        public void Dispose() => Interlocked.Exchange(ref _trainer, null)?.EndAverage();
    }
}
