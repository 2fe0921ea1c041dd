using FastNN.Tensors;

namespace FastNN.Kernels;

/// <summary>What a scan gives at each place along its axis.</summary>
internal enum ScanFunction
{
    /// <summary>The sum of the terms up to it.</summary>
    Sum,

    /// <summary>Their product.</summary>
    Product,

    /// <summary>The gradient of a product of the terms up to it.</summary>
    ProductGradient,
}

/// <summary>How the terms of a scan lie: along the middle axis of [outer, terms, inner].</summary>
/// <param name="Outer">The product of the extents in front of the axis.</param>
/// <param name="Terms">The extent of the axis.</param>
/// <param name="Inner">The product of the extents behind it.</param>
/// <param name="Exclusive">Each place is left out of its own sum.</param>
/// <param name="Reverse">From the last term to the first.</param>
internal readonly record struct ScanGeometry(int Outer, int Terms, int Inner, bool Exclusive, bool Reverse)
{
    /// <summary>The same terms from the other end.</summary>
    public ScanGeometry Reversed => this with { Reverse = !Reverse };
}

internal partial interface IReductions
{
    /// <summary>
    /// y (=|+=) the sums, or (=) the products, of x's terms up to each place, as the geometry says. The order of additions
    /// depends on the shapes alone.
    /// </summary>
    /// <param name="function">Sum or Product; a product does not accumulate.</param>
    void Scan(ScanFunction function, Tensor x, Tensor y, in ScanGeometry geometry, bool accumulate);

    /// <summary>
    /// dX (=|+=) the gradient of the products y of x's terms, right where terms are 0, too: with p the product in front of a term
    /// and b = dY + (the next term) (the next b), from the last term back, it is p b.
    /// </summary>
    /// <param name="geometry">That of the products.</param>
    void ScanProductBackward(Tensor x, Tensor y, Tensor dY, Tensor dX, in ScanGeometry geometry, bool accumulate);
}
