using System.Numerics.Tensors;
using FastNN.Cli.Running;

namespace FastNN.Cli.Recipes;

/// <summary>
/// Deep Q-learning (Mnih et al., 2015) with replay, a target network, and the action of the next state chosen by the network that
/// learns but valued by the target (van Hasselt et al., 2016).
/// </summary>
internal sealed class ValueAgent : IDisposable
{
    private const float Gamma = 0.99f;
    private const int Batch = 64, Capacity = 20_000, WarmUp = 1000, TargetEvery = 250;

    private readonly GameEnvironment _environment;
    private readonly Random _random;
    private readonly Sequential _network;
    private readonly Sequential _target;
    private readonly DeviceWeights _weights;
    private readonly Session _acting;
    private readonly TrainingStep _learning;
    private readonly ReplayMemory _memory;
    private readonly TransitionBatch _batch;
    private Session? _judging;

    /// <param name="device">Where to train.</param>
    /// <param name="environment">What to act in.</param>
    /// <param name="seed">Determines weights, actions, episodes and what is learned from.</param>
    public ValueAgent(Device device, GameEnvironment environment, ulong seed)
    {
        (_environment, _random) = (environment, new Random((int)seed));
        (int inputs, int actions) = (environment.ObservationSize, environment.Actions);
        (_network, _target) = (Create(inputs, actions, seed), Create(inputs, actions, seed));
        _weights = new DeviceWeights(device, _network);
        _acting = _weights.CreateSession(_network);
        _learning = new TrainingStep(
            _weights,
            step =>
            {
                Value values = _network.Apply(step.Input("before", [Dim.Batch, inputs]));
                Value taken = step.Input("actions", [Dim.Batch], DType.Int32).OneHot(actions);
                step.Loss("error", new HuberLoss().Apply((values * taken).Sum([1]), step.Input("wanted", [Dim.Batch])));
            },
            [(new Adam(1e-3f) { ClipNorm = 10 }, _network.Parameters)]);
        _memory = new ReplayMemory(Capacity, inputs);
        _batch = new TransitionBatch(Batch, inputs);
        environment.Reset(_random);
    }

    public Sequential Network => _network;

    public void Dispose()
    {
        _judging?.Dispose();
        _acting.Dispose();
        _learning.Dispose();
        _weights.Dispose();
    }

    /// <summary>Acts and learns for some steps, from all chance to one action in 20 by chance over the first half.</summary>
    public void Train(Device device, int steps, ScriptPhase phase)
    {
        float[] before = new float[_environment.ObservationSize], after = new float[_environment.ObservationSize],
        values = new float[_environment.Actions];
        _environment.Observe(before);
        for (int step = 0; step < steps; step++)
        {
            double chance = Math.Max(0.05, 1 - (2.0 * step / steps));
            int action = _random.Next(_environment.Actions);
            if (_random.NextDouble() >= chance)
            {
                _acting.Run(before, values);
                action = TensorPrimitives.IndexOfMax(values);
            }

            (float reward, bool terminated, bool truncated) = _environment.Step(action);
            _environment.Observe(after);
            _memory.Add(before, action, reward, after, terminated);
            if (terminated || truncated)
            {
                _environment.Reset(_random);
                _environment.Observe(after);
            }

            after.CopyTo(before, 0);
            if (step % TargetEvery == 0)
            {
                _judging?.Dispose();
                _network.CopyTo(_target);
                _judging = _target.CreateSession(device);
            }

            phase.Step(_memory.Count < WarmUp ? 0 : Learn());
        }
    }

    private static Sequential Create(int inputs, int actions, ulong seed)
    {
        var network = new Sequential(new Dense(128, Activation.ReLU), new Dense(128, Activation.ReLU), new Dense(actions));
        network.Build([inputs], seed);
        return network;
    }

    private float Learn()
    {
        int actions = _environment.Actions;
        _memory.Draw(_random, _batch);
        float[] own = new float[Batch * actions], judged = new float[Batch * actions], wanted = new float[Batch];
        _acting.Run(_batch.After, own);
        _judging!.Run(_batch.After, judged);
        for (int i = 0; i < Batch; i++)
        {
            int best = TensorPrimitives.IndexOfMax(own.AsSpan(i * actions, actions));
            wanted[i] = _batch.Rewards[i] + (_batch.Terminated[i] ? 0 : Gamma * judged[(i * actions) + best]);
        }

        _learning.Begin([Batch, _environment.ObservationSize]);
        _learning.Write("before", _batch.Before);
        _learning.Write("actions", _batch.Actions);
        _learning.Write("wanted", wanted);
        return _learning.Run();
    }
}
