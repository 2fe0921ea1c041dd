namespace FastNN.Testing;

/// <summary>Activations behind a dense layer or a convolution, where they become its epilogue.</summary>
internal static class Fused
{
    public static string Suffix(Activation activation) => activation == Activation.None ? "" : $" {activation}";

    /// <summary>A view of the value: the root itself, whose gradient is kept, is never fused.</summary>
    public static Value AsInnerNode(this Value value) => value.Reshape(value.Shape);

    public static double[] Forward(Activation activation, double[] z)
    {
        var y = new double[z.Length];
        ActivationsReference.Forward(activation, z, y);
        return y;
    }

    public static double[] Backward(Activation activation, double[] z, double[] dY)
    {
        var dZ = new double[z.Length];
        ActivationsReference.Backward(activation, z, dY, dZ);
        return dZ;
    }
}
