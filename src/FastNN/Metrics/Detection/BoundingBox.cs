namespace FastNN;

/// <summary>
/// A rectangle of an image, in pixels from its top left corner; the right and the bottom edge do not belong to it, so that a box
/// around one pixel is one wide.
/// </summary>
/// <param name="Left">The left edge.</param>
/// <param name="Top">The upper edge.</param>
/// <param name="Right">The right edge.</param>
/// <param name="Bottom">The lower edge.</param>
public readonly record struct BoundingBox(float Left, float Top, float Right, float Bottom)
{
    /// <summary>From the left edge to the right one; 0 where they are the wrong way round.</summary>
    public float Width => Math.Max(Right - Left, 0);

    /// <summary>From the upper edge to the lower one; 0 where they are the wrong way round.</summary>
    public float Height => Math.Max(Bottom - Top, 0);

    /// <summary>Width times height.</summary>
    public float Area => Width * Height;

    /// <summary>The area that both boxes cover.</summary>
    /// <param name="other">The other box.</param>
    public float Intersection(BoundingBox other) => new BoundingBox(
        Math.Max(Left, other.Left), Math.Max(Top, other.Top), Math.Min(Right, other.Right), Math.Min(Bottom, other.Bottom)).Area;

    /// <summary>
    /// The area that both boxes cover, over that which at least one covers (Jaccard's index): 1 of equal boxes, 0 of boxes apart,
    /// and 0 where neither has an area.
    /// </summary>
    /// <param name="other">The other box.</param>
    public float IntersectionOverUnion(BoundingBox other)
    {
        float common = Intersection(other), union = Area + other.Area - common;
        return union > 0 ? common / union : 0;
    }

    /// <summary>The smallest box around all pixels of an image of one channel that are above a threshold.</summary>
    /// <param name="image">The pixels, row by row.</param>
    /// <param name="width">Columns of the image.</param>
    /// <param name="threshold">Pixels above it count.</param>
    /// <returns>The box, or null where no pixel is above the threshold.</returns>
    /// <exception cref="ArgumentException">The image is not a whole number of rows.</exception>
    public static BoundingBox? Around(ReadOnlySpan<float> image, int width, float threshold)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        if (image.Length % width != 0)
        {
            throw new ArgumentException(
                $"BoundingBox: expected rows of {width} pixels, got {image.Length} pixels.", nameof(image));
        }

        (int left, int top, int right, int bottom) = (int.MaxValue, int.MaxValue, -1, -1);
        for (int i = 0; i < image.Length; i++)
        {
            if (image[i] > threshold)
            {
                (int y, int x) = Math.DivRem(i, width);
                (left, top) = (Math.Min(left, x), Math.Min(top, y));
                (right, bottom) = (Math.Max(right, x), Math.Max(bottom, y));
            }
        }

        return right < 0 ? null : new BoundingBox(left, top, right + 1, bottom + 1);
    }
}

/// <summary>An object in an image.</summary>
/// <param name="Box">Where it is.</param>
/// <param name="Label">The index of its class.</param>
public readonly record struct LabeledBox(BoundingBox Box, int Label);

/// <summary>An object that a detector found in an image.</summary>
/// <param name="Box">Where it is.</param>
/// <param name="Label">The index of its class.</param>
/// <param name="Score">How sure the detector is; only the order of scores matters.</param>
public readonly record struct Detection(BoundingBox Box, int Label, float Score)
{
    /// <summary>
    /// Greedy non-maximum suppression, as torchvision's nms or, class by class, batched_nms: of detections that overlap, the
    /// highest score stays. Of equal scores the earlier detection goes first.
    /// </summary>
    /// <param name="detections">What was found in one image; none may have the score NaN.</param>
    /// <param name="overlap">A detection falls away where its intersection over union with one that stays is above this, in
    /// [0, 1]; default 0.5.</param>
    /// <param name="acrossClasses">Whether a detection suppresses those of other classes as well; default false.</param>
    /// <returns>Those that stay, the highest score first.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The overlap is not in [0, 1].</exception>
    /// <exception cref="ArgumentException">A score is NaN.</exception>
    public static IReadOnlyList<Detection> Suppress(
        IReadOnlyCollection<Detection> detections, float overlap = 0.5f, bool acrossClasses = false)
    {
        ArgumentNullException.ThrowIfNull(detections);
        if (overlap is not (>= 0 and <= 1))
        {
            throw new ArgumentOutOfRangeException(
                nameof(overlap), $"Detection.Suppress: expected an overlap in [0, 1], got {overlap}.");
        }

        RequireScores(detections, "Detection.Suppress");
        var kept = new List<Detection>();
        foreach (Detection detection in detections.OrderByDescending(detection => detection.Score))
        {
            if (kept.TrueForAll(other => (!acrossClasses && other.Label != detection.Label)
                || other.Box.IntersectionOverUnion(detection.Box) <= overlap))
            {
                kept.Add(detection);
            }
        }

        return kept;
    }

    internal static void RequireScores(IEnumerable<Detection> detections, string name)
    {
        foreach (Detection detection in detections)
        {
            if (float.IsNaN(detection.Score))
            {
                throw new ArgumentException($"{name}: expected a score of every detection, got NaN.", nameof(detections));
            }
        }
    }
}
