using FastNN.Graphs;
using FastNN.Kernels;
using FastNN.Optimizers;
using FastNN.Tensors;

namespace FastNN;

/// <content>The averages of the weights in their place.</content>
public sealed partial class TrainingStep
{
    /// <summary>What would change the weights that training goes on with.</summary>
    private static readonly string[] Training =
        [nameof(Begin), nameof(Run), nameof(Forward), nameof(Backward), nameof(Update), nameof(UseAverage)];

    private bool _isAveraged;

    /// <summary>
    /// Puts the averages of the weights (<see cref="Optimizer.Average"/>) in their place until the result is disposed, for those
    /// optimizers that keep one: <c>using (step.UseAverage()) { generator.SaveWeights(path); }</c>. Sessions that are made
    /// meanwhile have the averages, and other steps over the same weights compute with them; training with this step is refused.
    /// </summary>
    /// <returns>Puts the weights back.</returns>
    /// <exception cref="InvalidOperationException">No optimizer keeps an average, there was no step yet, or the averages are in
    /// place.</exception>
    public IDisposable UseAverage()
    {
        using Occupancy.Stay stay = Enter(nameof(UseAverage));
        using DeviceUse use = _device.Life.Enter();
        if (!Array.Exists(_optimizers, pair => pair.Optimizer.Average is not null))
        {
            throw new InvalidOperationException(
                "TrainingStep.UseAverage: expected an optimizer with an Average, such as WeightAverage.Exponential().");
        }

        if (StepCount == 0)
        {
            throw new InvalidOperationException("TrainingStep.UseAverage: expected at least one training step before it.");
        }

        ExchangeAverage();
        _isAveraged = true;
        return new AverageUse(this);
    }

    /// <summary>Exchanges weights and averages, of all optimizers that keep one.</summary>
    internal void ExchangeAverage()
    {
        Refresh();
        for (int i = 0; i < _optimizers.Length; i++)
        {
            if (_state.Optimizers[i] is { AverageIndex: >= 0 } state)
            {
                Exchange(state, [.. _optimizers[i].Parameters.Where(state.Contains).Distinct()]);
            }
        }

        _phase = Phase.Empty;
    }

    private void Exchange(OptimizerState state, Parameter[] parameters)
    {
        using var block = new DeviceBlock(
            _device, Math.Max(1, parameters.Select(parameter => parameter.Count).DefaultIfEmpty().Max()) * sizeof(float));
        foreach (Parameter parameter in parameters)
        {
            Tensor weights = _weights.Store.Value(parameter), average = state.View(state.AverageIndex, parameter);
            var kept = new Tensor(block.Address, DType.Float32, weights.Shape);
            _device.Memory.Copy(weights, kept, accumulate: false);
            _device.Memory.Copy(average, weights, accumulate: false);
            _device.Memory.Copy(kept, average, accumulate: false);
        }
    }

    private void EndAverage()
    {
        if (Volatile.Read(ref _disposed) != 0 || _weights.IsDisposed || !_isAveraged)
        {
            return;
        }

        using Occupancy.Stay stay = Enter(nameof(EndAverage));
        using DeviceUse use = _device.Life.Enter();
        _isAveraged = false;
        ExchangeAverage();
    }

    private sealed class AverageUse(TrainingStep step) : IDisposable
    {
        private TrainingStep? _step = step;

        public void Dispose() => Interlocked.Exchange(ref _step, null)?.EndAverage();
    }
}
