using FastNN.Tensors;

namespace FastNN.Tests.Explain;

/// <summary>Networks and numbers that explanations are tested with.</summary>
internal static class Networks
{
    public static float[] Numbers(int count, ulong seed)
    {
        var numbers = new float[count];
        Philox.FillNormal(numbers, seed, Philox.Stream(RandomUse.Data));
        return numbers;
    }

    /// <summary>x W + b, with W of shape [in, out].</summary>
    public static Sequential Linear(int inputs, float[] weights, float[] biases)
    {
        var model = new Sequential(new Dense(biases.Length) { Name = "linear" });
        model.Build(new Shape(inputs));
        model.Parameters[0].Write(weights);
        model.Parameters[1].Write(biases);
        return model;
    }

    /// <summary>Everything that inference computes in another way than training, and joins.</summary>
    public static Sequential Image()
    {
        var model = new Sequential(
            new Conv2D(4, 3) { Padding = 1, Name = "conv" }, new BatchNorm2D(), new ActivationLayer(Activation.ReLU),
            new MaxPool2D(2),
            new Conv2D(3, 3, Activation.Tanh) { Padding = 1, Name = "last" }, new MaxPool2D(2) { Name = "pool" }, new Flatten(),
            new Dropout(0.5f), new Dense(6), new ActivationLayer(Activation.Gelu), new Dense(3) { Name = "head" });
        model.Build(new Shape(8, 8, 2), seed: 3);
        model.Buffers[0].Write([0.1f, -0.2f, 0.3f, 0.05f]);
        return model;
    }
}

/// <summary>A function as a layer.</summary>
internal sealed class Recorded(Func<Value, Value> record) : Layer
{
    protected override Value Forward(Value x) => record(x);
}
