using FastNN.Data;
using FastNN.Tensors;

namespace FastNN.Testing;

/// <summary>A small problem that trains in milliseconds: which quarter of the plane a point lies in.</summary>
internal static class Toy
{
    public const int Classes = 4;

    public static Dataset Points(int count, ulong seed = 3)
    {
        var features = new float[count * 2];
        Philox.FillUniform(features, seed, Philox.Stream(RandomUse.Data));
        var labels = new int[count];
        for (int i = 0; i < count; i++)
        {
            features[2 * i] = (2 * features[2 * i]) - 1;
            features[(2 * i) + 1] = (2 * features[(2 * i) + 1]) - 1;
            labels[i] = (features[2 * i] > 0 ? 1 : 0) + (features[(2 * i) + 1] > 0 ? 2 : 0);
        }

        return Dataset.FromFloats(features, [2], labels, Classes);
    }

    public static Sequential Model(float dropout = 0) => new(
        new Dense(16, Activation.ReLU) { Name = "hidden" }, new Dropout(dropout), new Dense(Classes) { Name = "logits" });

    public static Sequential Built(float dropout = 0)
    {
        Sequential model = Model(dropout);
        model.Build(new Shape(2), seed: 5);
        return model;
    }

    public static Trainer Trainer(Device device, Layer? model = null, Optimizer? optimizer = null) =>
        new(model ?? Model(), device, Loss.SparseCrossEntropy, optimizer ?? new Adam(0.01f), seed: 5);

    /// <summary>All parameters of a model, one after the other.</summary>
    public static float[] Parameters(Layer model)
    {
        var all = new List<float>();
        foreach (Parameter parameter in model.Parameters)
        {
            var values = new float[parameter.Count];
            parameter.Read(values);
            all.AddRange(values);
        }

        return [.. all];
    }
}
