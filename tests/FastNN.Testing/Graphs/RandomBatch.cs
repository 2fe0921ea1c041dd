using FastNN.Tensors;

namespace FastNN.Testing;

/// <summary>Inputs in [0, 1) and targets that fit the network.</summary>
internal sealed class RandomBatch
{
    private readonly int[] _labels;
    private readonly float[] _targets;
    private readonly bool _classIndices;

    public RandomBatch(Network network)
    {
        X = new float[network.Batch * network.Example.Count];
        Philox.FillUniform(X, 3, Philox.Stream(RandomUse.Data));
        _classIndices = network.Loss.ClassIndices;
        _labels = [.. Enumerable.Range(0, network.Batch).Select(i => i * 7 % network.Classes)];
        _targets = new float[network.Batch * network.Classes];
        for (int i = 0; i < network.Batch; i++)
        {
            _targets[(i * network.Classes) + _labels[i]] = network.Classes == 1 ? i % 2 : 1;
        }
    }

    public float[] X { get; }

    public float Step(Trainer trainer) => _classIndices ? trainer.TrainBatch(X, _labels) : trainer.TrainBatch(X, _targets);
}
