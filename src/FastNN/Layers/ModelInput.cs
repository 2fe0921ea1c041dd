namespace FastNN;

/// <summary>An input of a model.</summary>
public sealed record ModelInput
{
    internal ModelInput(string name, Shape shape, DType type = DType.Float32) => (Name, Shape, Type) = (name, shape, type);

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>The shape of one example, without the batch axis; extents may be symbols (<see cref="Dim"/>).</summary>
    public Shape Shape { get; }

    /// <summary>Its element type.</summary>
    public DType Type { get; }

    /// <summary>As in <c>image: Float32[28, 28, 1]</c>.</summary>
    public override string ToString() => $"{Name}: {new TensorType(Shape, Type)}";
}
