namespace FastNN.Layers;

/// <summary>Sizes of sequences and volumes among the attributes of layers.</summary>
internal static class PoolDescriptions
{
    public static LayerDescription SetRowPool(
        this LayerDescription description, int kernel, int? stride, int padding, bool ceilMode)
    {
        ArgumentNullException.ThrowIfNull(description);
        description.Set("kernel", kernel).Set("padding", padding).Set("ceilMode", ceilMode);
        return stride is { } given ? description.Set("stride", given) : description;
    }

    public static LayerDescription SetVolumePool(
        this LayerDescription description, Size3D kernel, Size3D? stride, Padding3D padding, bool ceilMode)
    {
        ArgumentNullException.ThrowIfNull(description);
        description.Set("kernel", kernel).Set("ceilMode", ceilMode);
        if (stride is { } given)
        {
            description.Set("stride", given);
        }

        return description.Set("padding", padding);
    }
}
