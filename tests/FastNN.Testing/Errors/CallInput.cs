namespace FastNN.Testing;

/// <summary>An input of a call: its type, and the number that all its elements are when the call is run.</summary>
internal sealed record CallInput(Shape Shape, DType Type = DType.Float32, double Value = 0.5)
{
    public override string ToString() => new TensorType(Shape, Type).ToString();

    /// <summary>Float32.</summary>
    public static CallInput F(params int[] shape) => new(shape);

    /// <summary>Int32, zeros: indices that fit everywhere.</summary>
    public static CallInput I(params int[] shape) => new(shape, DType.Int32, 0);

    /// <summary>Bool, true.</summary>
    public static CallInput B(params int[] shape) => new(shape, DType.Bool, 1);
}
