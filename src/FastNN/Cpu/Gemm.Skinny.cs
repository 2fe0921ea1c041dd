namespace FastNN.Cpu;

/// <content>One row, and few rows times a transposed B.</content>
internal static unsafe partial class Gemm<TVec, TRung>
{
    private static void RunVector(WorkerPool pool, in Product p)
    {
        int tiles = Tiles(p.N, W);
        int perTask = (int)Math.Clamp(TaskWork / 4 / ((long)Math.Min(p.N, W) * Math.Max(p.K, 1)), 1, tiles);
        var body = new VectorBody { Product = p, TilesPerTask = perTask };
        if (perTask == tiles)
        {
            body.Invoke(0, 0);
        }
        else
        {
            pool.Run(Tiles(tiles, perTask), ref body);
        }
    }

    private static void RunDots(WorkerPool pool, in Product p)
    {
        int quads = Tiles(p.N, 4);
        int perTask = (int)Math.Clamp(TaskWork / 2 / (4L * p.M * p.K), 1, quads);
        var body = new DotBody { Product = p, QuadsPerTask = perTask };
        if (perTask == quads)
        {
            body.Invoke(0, 0);
        }
        else
        {
            pool.Run(Tiles(quads, perTask), ref body);
        }
    }

    private struct VectorBody : IParallelBody
    {
        public Product Product;
        public int TilesPerTask;

        public readonly void Invoke(int task, int worker)
        {
            int last = Math.Min(Product.N, (task + 1) * TilesPerTask * W);
            for (int col = task * TilesPerTask * W; col < last; col += W)
            {
                bool packed = Product.Panels != null;
                Gemv<TVec, TRung>.Columns(
                    Product.A, Product.K, packed ? Product.Panels + (col / W * Product.PanelStride) : Product.B + col,
                    packed ? W : Product.Ldb, Product.C + col, Math.Min(W, Product.N - col), Product.Epilogue.At(col));
            }
        }
    }

    private struct DotBody : IParallelBody
    {
        public Product Product;
        public int QuadsPerTask;

        public readonly void Invoke(int task, int worker)
        {
            int last = Math.Min(Product.N, (task + 1) * QuadsPerTask * 4);
            float** a = stackalloc float*[4];
            float** b = stackalloc float*[4];
            float* sums = stackalloc float[16];
            for (int col = task * QuadsPerTask * 4; col < last; col += 4)
            {
                int cols = Math.Min(4, last - col);
                for (int j = 0; j < 4; j++)
                {
                    b[j] = Product.B + ((col + Math.Min(j, cols - 1)) * Product.Ldb);
                }

                for (int row = 0; row < Product.M; row += 4)
                {
                    int rows = Math.Min(4, Product.M - row);
                    for (int r = 0; r < 4; r++)
                    {
                        a[r] = Product.A + ((row + Math.Min(r, rows - 1)) * Product.Lda);
                    }

                    Dot<TVec, TRung>.FourByFour(a, b, Product.K, sums, 4, rows, cols);
                    Epilogue epilogue = Product.Epilogue.At(col);
                    epilogue.Apply(sums, 4, Product.C + (row * Product.Ldc) + col, Product.Ldc, rows, cols);
                }
            }
        }
    }
}
