// A convolution as matrix products over tiles of gathered pixels: column (kh, kw, c) of row (oh, ow) is the input under that tap.
// Layouts are strides, so one code serves NCHW and NHWC. Sums have a fixed order whatever the number of workers.
#include "convolution.hpp"

#include <algorithm>
#include <cstring>
#include <vector>

#include "gemm.hpp"

namespace softcuda::dnn {

namespace {

/// Output pixels that are gathered at once.
constexpr std::size_t TileRows = 192;
/// Parts into which the images are divided where their sums are added up; a function of nothing, so results depend on no worker.
constexpr std::size_t FilterParts = 8;

class Plan {
public:
    explicit Plan(const Shapes& s)
        : s_(s), groupC_(static_cast<std::size_t>(s.filter.size[1])), groupK_(static_cast<std::size_t>(s.filter.size[0] / s.convolution.groups)),
          columns_(s.taps() * groupC_), pixels_(static_cast<std::size_t>(s.y.size[2]) * static_cast<std::size_t>(s.y.size[3])) {}

    std::size_t images() const { return static_cast<std::size_t>(s_.x.size[0]); }
    std::size_t groups() const { return static_cast<std::size_t>(s_.convolution.groups); }
    std::size_t groupK() const { return groupK_; }
    /// CUDNN_FMA_MATH (3) alone forbids TF32.
    Precision precision() const { return s_.convolution.mathType == 3 ? Precision::Float32 : Precision::TF32; }
    std::size_t columns() const { return columns_; }
    std::size_t pixels() const { return pixels_; }
    std::size_t tiles() const { return (pixels_ + TileRows - 1) / TileRows; }
    std::size_t tileRows(std::size_t tile) const { return std::min(TileRows, pixels_ - tile * TileRows); }

    /// Calls body(row, pixel of x or null, first column) for every tap of every output pixel of a tile.
    template <typename Body>
    void forTaps(std::size_t image, std::size_t group, std::size_t tile, const Body& body) const {
        const Convolution& c = s_.convolution;
        int kh = s_.filter.size[2], kw = s_.filter.size[3], ow = s_.y.size[3];
        std::ptrdiff_t base = static_cast<std::ptrdiff_t>(image) * s_.x.stride[0] + static_cast<std::ptrdiff_t>(group * groupC_) * s_.x.stride[1];
        for (std::size_t row = 0; row < tileRows(tile); ++row) {
            auto pixel = static_cast<int>(tile * TileRows + row);
            int top = pixel / ow * c.strideH - c.padH, left = pixel % ow * c.strideW - c.padW;
            for (int i = 0; i < kh; ++i) {
                for (int j = 0; j < kw; ++j) {
                    // A convolution proper meets the filter backwards.
                    int h = top + (c.mode == 1 ? i : kh - 1 - i) * c.dilationH, w = left + (c.mode == 1 ? j : kw - 1 - j) * c.dilationW;
                    bool inside = h >= 0 && h < s_.x.size[2] && w >= 0 && w < s_.x.size[3];
                    std::ptrdiff_t at = inside ? base + h * s_.x.stride[2] + w * s_.x.stride[3] : -1;
                    body(row, at, static_cast<std::size_t>(i * kw + j) * groupC_);
                }
            }
        }
    }

    void gather(const float* x, std::size_t image, std::size_t group, std::size_t tile, float* rows) const {
        std::ptrdiff_t step = s_.x.stride[1];
        forTaps(image, group, tile, [&](std::size_t row, std::ptrdiff_t at, std::size_t column) {
            float* to = rows + row * columns_ + column;
            if (at < 0) {
                std::fill(to, to + groupC_, 0.f);
            } else if (step == 1) {
                std::memcpy(to, x + at, groupC_ * sizeof(float));
            } else {
                for (std::size_t c = 0; c < groupC_; ++c) to[c] = x[at + static_cast<std::ptrdiff_t>(c) * step];
            }
        });
    }

    void scatter(const float* rows, float alpha, std::size_t image, std::size_t group, std::size_t tile, float* dX) const {
        std::ptrdiff_t step = s_.x.stride[1];
        forTaps(image, group, tile, [&](std::size_t row, std::ptrdiff_t at, std::size_t column) {
            if (at < 0) return;
            const float* from = rows + row * columns_ + column;
            for (std::size_t c = 0; c < groupC_; ++c) dX[at + static_cast<std::ptrdiff_t>(c) * step] += alpha * from[c];
        });
    }

    /// The filters as [group][column][k of the group].
    std::vector<float> pack(const float* filter) const {
        std::vector<float> packed(groups() * columns_ * groupK_);
        forFilter([&](std::size_t place, std::ptrdiff_t at) { packed[place] = filter[at]; });
        return packed;
    }

    /// Calls body(place in the packed filter, place in memory).
    template <typename Body>
    void forFilter(const Body& body) const {
        const Tensor& f = s_.filter;
        std::size_t place = 0;
        for (std::size_t g = 0; g < groups(); ++g) {
            for (int i = 0; i < f.size[2]; ++i) {
                for (int j = 0; j < f.size[3]; ++j) {
                    for (std::size_t c = 0; c < groupC_; ++c) {
                        std::ptrdiff_t at = static_cast<std::ptrdiff_t>(c) * f.stride[1] + i * f.stride[2] + j * f.stride[3];
                        for (std::size_t k = 0; k < groupK_; ++k, ++place) body(place, at + static_cast<std::ptrdiff_t>(g * groupK_ + k) * f.stride[0]);
                    }
                }
            }
        }
    }

    /// A tile of y or dY as a matrix [pixels, k of the group]. Pixels of one image are evenly spaced, as packed tensors have them.
    template <typename T>
    Strided<T> output(T* y, std::size_t image, std::size_t group, std::size_t tile) const {
        std::ptrdiff_t at = static_cast<std::ptrdiff_t>(image) * s_.y.stride[0] + static_cast<std::ptrdiff_t>(group * groupK_) * s_.y.stride[1] +
                            static_cast<std::ptrdiff_t>(tile * TileRows) * s_.y.stride[3];
        return {y + at, s_.y.stride[3], s_.y.stride[1]};
    }

    const float* packedGroup(const std::vector<float>& packed, std::size_t group) const { return packed.data() + group * columns_ * groupK_; }

private:
    const Shapes& s_;
    std::size_t groupC_, groupK_, columns_, pixels_;
};

struct Task {
    const Plan* plan;
    float alpha, beta;
    const float *x, *dY;
    const std::vector<float>* filter;
    float* out;
};

thread_local std::vector<float> gathered;

}  // namespace

void forward(const Shapes& shapes, float alpha, const float* x, const float* filter, float beta, float* y) {
    Plan plan(shapes);
    std::vector<float> packed = plan.pack(filter);
    Task task{&plan, alpha, beta, x, nullptr, &packed, y};
    auto body = [](void* context, std::size_t index) {
        const auto& t = *static_cast<const Task*>(context);
        const Plan& p = *t.plan;
        std::size_t tile = index % p.tiles(), group = index / p.tiles() % p.groups(), image = index / p.tiles() / p.groups();
        gathered.resize(TileRows * p.columns());
        p.gather(t.x, image, group, tile, gathered.data());
        gemm(p.tileRows(tile), p.groupK(), p.columns(), t.alpha, {gathered.data(), static_cast<std::ptrdiff_t>(p.columns()), 1},
             {p.packedGroup(*t.filter, group), static_cast<std::ptrdiff_t>(p.groupK()), 1}, t.beta, p.output(t.out, image, group, tile), false, p.precision());
    };
    softcudaParallel(body, &task, plan.images() * plan.groups() * plan.tiles());
}

void backwardData(const Shapes& shapes, float alpha, const float* filter, const float* dY, float beta, float* dX) {
    Plan plan(shapes);
    std::vector<float> packed = plan.pack(filter);
    std::size_t extent = shapes.x.extent();
    // Strides without gaps: all of dX is the gradient's.
    for (std::size_t i = 0; i < extent; ++i) dX[i] = beta == 0 ? 0 : beta * dX[i];
    Task task{&plan, alpha, beta, nullptr, dY, &packed, dX};
    auto body = [](void* context, std::size_t index) {
        const auto& t = *static_cast<const Task*>(context);
        const Plan& p = *t.plan;
        std::size_t group = index % p.groups(), image = index / p.groups();
        gathered.resize(TileRows * p.columns());
        for (std::size_t tile = 0; tile < p.tiles(); ++tile) {
            gemm(p.tileRows(tile), p.columns(), p.groupK(), 1, p.output(t.dY, image, group, tile),
                 {p.packedGroup(*t.filter, group), 1, static_cast<std::ptrdiff_t>(p.groupK())}, 0,
                 {gathered.data(), static_cast<std::ptrdiff_t>(p.columns()), 1}, false, p.precision());
            p.scatter(gathered.data(), t.alpha, image, group, tile, t.out);
        }
    };
    softcudaParallel(body, &task, plan.images() * plan.groups());
}

void backwardFilter(const Shapes& shapes, float alpha, const float* x, const float* dY, float beta, float* dFilter) {
    Plan plan(shapes);
    std::size_t size = plan.groups() * plan.columns() * plan.groupK(), parts = std::min(FilterParts, plan.images());
    std::vector<float> partial(parts * size);
    Task task{&plan, alpha, beta, x, dY, nullptr, partial.data()};
    auto body = [](void* context, std::size_t part) {
        const auto& t = *static_cast<const Task*>(context);
        const Plan& p = *t.plan;
        std::size_t parts = std::min(FilterParts, p.images()), size = p.columns() * p.groupK();
        gathered.resize(TileRows * p.columns());
        float* sums = t.out + part * p.groups() * size;
        for (std::size_t image = part * p.images() / parts; image < (part + 1) * p.images() / parts; ++image) {
            for (std::size_t group = 0; group < p.groups(); ++group) {
                for (std::size_t tile = 0; tile < p.tiles(); ++tile) {
                    p.gather(t.x, image, group, tile, gathered.data());
                    gemm(p.columns(), p.groupK(), p.tileRows(tile), 1, {gathered.data(), 1, static_cast<std::ptrdiff_t>(p.columns())},
                         p.output(t.dY, image, group, tile), 1, {sums + group * size, static_cast<std::ptrdiff_t>(p.groupK()), 1}, false, p.precision());
                }
            }
        }
    };
    softcudaParallel(body, &task, parts);
    plan.forFilter([&](std::size_t place, std::ptrdiff_t at) {
        float sum = 0;
        for (std::size_t part = 0; part < parts; ++part) sum += partial[part * size + place];
        dFilter[at] = alpha * sum + (beta == 0 ? 0 : beta * dFilter[at]);
    });
}

}  // namespace softcuda::dnn
