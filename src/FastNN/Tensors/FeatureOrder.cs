namespace FastNN.Tensors;

/// <summary>
/// What the places along a value's last axis are, where images were flattened into it: stretches of an image in H, W, C order, or
/// of anything else. The engine keeps a flattened image as [H, W, C], PyTorch as [C, H, W]; so whatever has a parameter per
/// feature needs this to order it in files.
/// </summary>
internal sealed class FeatureOrder
{
    private readonly (int Count, Shape? Image)[] _stretches;

    private FeatureOrder((int Count, Shape? Image)[] stretches)
    {
        _stretches = stretches;
        Count = stretches.Sum(stretch => stretch.Count);
    }

    /// <summary>The number of features.</summary>
    public int Count { get; }

    /// <summary>The image's [H, W, C] where there is nothing else, else null.</summary>
    public Shape? Image => _stretches is [{ Image: { } image }] ? image : default(Shape?);

    /// <summary>The features of one flattened image.</summary>
    /// <param name="image">Its [H, W, C].</param>
    public static FeatureOrder Of(Shape image) => new([(checked((int)image.Count), image)]);

    /// <summary>Features one after another; where an order is null, so many whose order is the same everywhere.</summary>
    /// <returns>Null where no image is among them.</returns>
    public static FeatureOrder? Join(ReadOnlySpan<(int Count, FeatureOrder? Order)> parts)
    {
        var stretches = new List<(int Count, Shape? Image)>();
        bool hasImage = false;
        foreach ((int count, FeatureOrder? order) in parts)
        {
            stretches.AddRange(order?._stretches ?? [(count, null)]);
            hasImage |= order is not null;
        }

        return hasImage ? new FeatureOrder([.. stretches]) : null;
    }

    /// <summary>For each place in PyTorch's order, the place in the engine's.</summary>
    public int[] FromFile()
    {
        var places = new int[Count];
        int at = 0;
        foreach ((int count, Shape? image) in _stretches)
        {
            int start = at;
            if (image is not { } shape)
            {
                for (int i = 0; i < count; i++)
                {
                    places[at++] = start + i;
                }

                continue;
            }

            (int height, int width, int channels) = (shape[0], shape[1], shape[2]);
            for (int c = 0; c < channels; c++)
            {
                for (int y = 0; y < height; y++)
                {
                    for (int x = 0; x < width; x++)
                    {
                        places[at++] = start + (((y * width) + x) * channels) + c;
                    }
                }
            }
        }

        return places;
    }
}
