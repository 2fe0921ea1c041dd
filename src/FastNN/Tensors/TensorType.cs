namespace FastNN;

/// <summary>The shape and element type of a tensor.</summary>
/// <param name="Shape">Its extents.</param>
/// <param name="Type">The type of its elements; default Float32.</param>
public readonly record struct TensorType(Shape Shape, DType Type = DType.Float32)
{
    /// <summary>Bytes of a dense tensor of this type.</summary>
    public long Bytes => Shape.Count * Type.Size();

    /// <summary>The type and the extents, as in Float32[32, 10].</summary>
    public override string ToString() => $"{Type}{Shape}";
}
