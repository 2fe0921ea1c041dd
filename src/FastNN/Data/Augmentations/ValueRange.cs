using System.Numerics.Tensors;

namespace FastNN.Data;

/// <summary>The least and the largest value of an image: black and white, where color is changed.</summary>
/// <param name="Low">Black.</param>
/// <param name="High">White; above <paramref name="Low"/>.</param>
public readonly record struct ValueRange(float Low, float High)
{
    /// <summary>0 to 1, the default of all augmentations.</summary>
    public static ValueRange Unit { get; } = new(0, 1);

    /// <summary>Takes values of this range to 0 to 1; the unit range changes no bit.</summary>
    internal void ToUnit(Span<float> values)
    {
        if (this != Unit)
        {
            TensorPrimitives.Subtract(values, Low, values);
            TensorPrimitives.Divide(values, High - Low, values);
        }
    }

    /// <summary>Takes values of 0 to 1 to this range.</summary>
    internal void FromUnit(Span<float> values)
    {
        if (this != Unit)
        {
            TensorPrimitives.Multiply(values, High - Low, values);
            TensorPrimitives.Add(values, Low, values);
        }
    }
}
