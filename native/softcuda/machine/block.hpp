// One block of a grid on one worker.
#pragma once
#include "warp.hpp"

namespace softcuda {

/// Where a worker runs its blocks; kept between launches, so that nothing is allocated once it is large enough.
class BlockRunner {
public:
    /// Before the blocks of a launch.
    void begin(const Launch& launch);
    /// Runs block `index` of the grid, which is the `rank`-th of the launch's order.
    void run(std::uint64_t index, std::uint64_t rank);

    BlockState state;

private:
    void setUp(std::uint64_t index);
    void fillSpecials();
    bool resolveBarriers();
    bool timedOut() const;
    bool tell(Warp& warp);
    void release(std::uint32_t barrier);
    void deadlock();
    void finishReduction(std::uint32_t barrier);

    struct Barrier {
        std::uint32_t waiting = 0, arrived = 0;  // warps, as bits; those that wait have arrived
        std::uint32_t expected = 0;              // warps; 0: all
        const Instr* first = nullptr;
    };

    std::unique_ptr<std::byte[]> storage_;
    std::size_t storageBytes_ = 0;
    std::vector<Barrier> barriers_;
    std::vector<std::uint32_t> order_;
    std::uint64_t random_ = 0;
};

/// A generator for orders; the same seed gives the same order everywhere.
inline std::uint64_t nextRandom(std::uint64_t& state) {
    std::uint64_t z = state += 0x9e3779b97f4a7c15ull;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return z ^ z >> 31;
}

}  // namespace softcuda
