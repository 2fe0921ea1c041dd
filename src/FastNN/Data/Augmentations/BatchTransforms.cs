namespace FastNN.Data;

/// <summary>Transforms one after the other.</summary>
public static class BatchTransforms
{
    /// <summary>A transform that runs two on each batch: images one by one, then the batch as a whole.</summary>
    /// <param name="first">The first; it may change the shape of examples.</param>
    /// <param name="next">The one after it; it keeps the shape.</param>
    /// <example><c>new Compose(new RandomCrop(32) { Padding = 4 }, new RandomHorizontalFlip()).Then(new MixUp(0.2))</c></example>
    public static IBatchTransform Then(this IBatchTransform first, IBatchTransform next)
    {
        ArgumentNullException.ThrowIfNull(first);
        ArgumentNullException.ThrowIfNull(next);
        return new Pair(first, next);
    }

    private static int Places(IBatchTransform transform) => transform switch
    {
        Augmentation augmentation => augmentation.Places,
        Pair pair => pair.Places,
        _ => 1,
    };

    private sealed class Pair(IBatchTransform first, IBatchTransform next) : IBatchTransform
    {
        private readonly int _firstPlaces = BatchTransforms.Places(first);

        public int Places => _firstPlaces + BatchTransforms.Places(next);

        public Shape OutputShape(Shape exampleShape)
        {
            Shape between = first.OutputShape(exampleShape), after = next.OutputShape(between);
            return after == between
                ? after
                : throw new ShapeException(
                    $"Then: expected a transform that keeps the shape behind the first, got {next.GetType().Name}, which makes {after} of {between}; put what changes the shape into the first, with Compose.");
        }

        public void Apply(in TransformContext context)
        {
            first.Apply(context);
            Shape shape = first.OutputShape(context.ExampleShape);
            Span<int> extents = stackalloc int[Shape.MaxRank];
            for (int i = 0; i < shape.Rank; i++)
            {
                extents[i] = shape[i];
            }

            next.Apply(
                new TransformContext(
                    context.Output, extents[..shape.Rank], context.Examples, context.Seed, context.Epoch, context.Batch,
                    context.Stop)
                {
                    Targets = context.Targets,
                    Place = context.Place + _firstPlaces,
                });
        }
    }
}
